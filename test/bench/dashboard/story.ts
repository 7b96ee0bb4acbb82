// What the fleet goes through while its metrics are gathered: everything that the dashboard is there to show.
import type { Scenario } from '../fleet/scenarios.ts'

/** Of each function the option `fleet`, by the name of its environments. */
export const FLEET_OF: Readonly<Record<string, string>> = {
  shop: 'shop',
  'shop anew': 'shop',
  reports: 'reports',
}

const open = { kind: 'open', workMs: 20 } as const

export const STORY: Scenario = {
  name: 'dashboard',
  about: 'a calm, a rush, a second function, a rotated secret, and environments that vanish; 24 slots',
  slots: 24,
  fleets: [
    { name: 'shop', environments: 16 },
    { name: 'shop anew', functionName: 'shop', environments: 14 },
    { name: 'reports', environments: 10 },
  ],
  loads: [
    { ...open, fleet: 'shop', perS: 50, dispatch: 'recent', fromMs: 0, untilMs: 20_000 },
    { ...open, fleet: 'shop', perS: 220, dispatch: 'random', fromMs: 20_000, untilMs: 55_000 },
    { ...open, fleet: 'shop', perS: 50, dispatch: 'random', fromMs: 55_000, untilMs: 76_000 },
    {
      ...open,
      fleet: 'reports',
      perS: 30,
      workMs: 150,
      dispatch: 'random',
      fromMs: 35_000,
      untilMs: 95_000,
    },
    { ...open, fleet: 'shop anew', perS: 150, dispatch: 'random', fromMs: 77_000, untilMs: 95_000 },
    { ...open, fleet: 'shop anew', perS: 50, dispatch: 'recent', fromMs: 95_000, untilMs: 105_000 },
  ],
  vanish: { fleet: 'shop', atMs: 76_500 },
}

/** Secrets Manager refuses because there were too many requests; then the password is another. */
export const SECRETS = { throttledFromMs: 38_000, throttledUntilMs: 50_000, rotatedAtMs: 62_000 } as const
/** For so long the server has the new password and Secrets Manager the old one. */
export const ROTATION_GAP_MS = 1_500
