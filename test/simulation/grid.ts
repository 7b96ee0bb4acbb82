// Fleets of 1 000 and 10 000 environments on 100 to 5 000 connections, under four kinds of load.
import { type Arrivals, diurnal, step, storms } from './arrivals.ts'
import type { FleetPlan } from './fleet.ts'
import type { Scenario } from './simulation.ts'

const WORK_MS = 20
const SECONDS = 60
const SIZES = [1_000, 10_000]
const LIMITS = [100, 400, 1_704, 5_000]

/** About what RDS gives to an instance with that limit. */
function coresFor(maxConnections: number): number {
  if (maxConnections <= 400) return 2
  return maxConnections <= 1_704 ? 4 : 16
}

interface Kind {
  /** Stands for all of its scenarios. */
  readonly group: string
  /** What their names begin with. */
  readonly name: string
  readonly about: string
  fleetOf(environments: number): FleetPlan
}

/** Handed out at random, so that every environment is in use: what a fleet without a coordinator fears most. */
function spread(arrivals: Arrivals): (environments: number) => FleetPlan {
  return (environments) => ({
    environments,
    load: { kind: 'open', arrivals, dispatch: 'random', warm: environments },
    workMs: WORK_MS,
  })
}

const KINDS: readonly Kind[] = [
  {
    group: 'poisson',
    name: 'grid',
    about: '1 000 requests/s (Poisson)',
    // Each environment has its own caller: together a Poisson process, and none is ever throttled.
    fleetOf: (environments) => ({
      environments,
      load: { kind: 'closed', thinkMs: environments },
      workMs: WORK_MS,
    }),
  },
  {
    group: 'bursts',
    name: 'burst',
    about: '200 requests/s, and 2 000 for 20 s',
    fleetOf: spread(step(200, 2_000, 20_000, 20_000)),
  },
  {
    group: 'days',
    name: 'day',
    about: 'a day in a minute: 50 to 2 000 requests/s',
    fleetOf: spread(diurnal(50, 2_000, SECONDS * 1_000)),
  },
  {
    group: 'webhooks',
    name: 'webhook',
    about: '200 requests/s, and every 20 s a second of 5 000/s',
    fleetOf: spread(storms(200, 5_000, 20_000, 1_000)),
  },
]

function scenariosOf({ name, about, fleetOf }: Kind): readonly Scenario[] {
  return SIZES.flatMap((environments) =>
    LIMITS.map((maxConnections) => ({
      name: `${name}-${environments}-${maxConnections}`,
      about: `${environments} environments, ${about} over all of them, max_connections ${maxConnections}`,
      maxConnections,
      cores: coresFor(maxConnections),
      isShared: false,
      seconds: SECONDS,
      quantumMs: 0,
      fleets: [fleetOf(environments)],
    })),
  )
}

/** By group. */
export const GRID: ReadonlyMap<string, readonly Scenario[]> = new Map(
  KINDS.map((kind) => [kind.group, scenariosOf(kind)]),
)
