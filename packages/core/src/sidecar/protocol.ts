/** What the layer's sidecar and the library agree on: how it is asked for, where it is, and the words between them. */

import type { Env } from '../env.ts'
import type { MetricName } from '../metrics.ts'

/** Below `/tmp`, which all processes of an environment share and no other environment sees. */
const SOCKET = '/tmp/.leasehold-sidecar.sock'

/** Neither side reads a longer line. */
export const MOST_LINE_BYTES: number = 256 * 1024

/** Whether the function was configured to have a sidecar. Source: `LEASEHOLD_SIDECAR`, as the launcher reads it. */
export function wantsSidecar(env: Env): boolean {
  return ['on', 'true', '1'].includes(env['LEASEHOLD_SIDECAR'] ?? '')
}

/** Where the sidecar listens for lines. Source: `LEASEHOLD_SIDECAR_SOCKET`. */
export function socketOf(env: Env): string {
  return env['LEASEHOLD_SIDECAR_SOCKET'] || SOCKET
}

/** Where tokens are asked for, beside the secrets. */
export const TOKEN_PATH = '/leasehold/token'

/** A metric, its value, how often it was measured, then fleet, engine and target. */
export type Measurement = readonly [
  name: MetricName,
  value: number,
  count: number,
  fleet: string,
  engine: string,
  target: string,
]

/** Where measurements are to be sent: what of `cloudWatch()`'s options can be written down. */
export interface MetricsPlace {
  readonly namespace: string
  readonly everyMs?: number | undefined
  readonly only?: readonly MetricName[] | undefined
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
}

/** What a process says. */
export type Said =
  | {
      readonly kind: 'metrics'
      readonly number: number
      readonly to: MetricsPlace
      readonly data: readonly Measurement[]
    }
  /** `of` all that the environment may have, `share` is every thread's own. */
  | {
      readonly kind: 'take'
      readonly number: number
      readonly budget: string
      readonly of: number
      readonly share: number
    }
  /** A place comes back. */
  | { readonly kind: 'give'; readonly number: number }

/** What the sidecar says. `number` is that of what was said. */
export type Answered =
  | { readonly kind: 'taken'; readonly number: number }
  | { readonly kind: 'refused'; readonly number: number; readonly why: string }
  | { readonly kind: 'place'; readonly number: number }
  /** Another thread waits for a place. `isFirm`: for one of its own share, and this thread has more than that. */
  | { readonly kind: 'wanted'; readonly isFirm: boolean }
