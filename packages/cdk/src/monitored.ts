/** What is watched: which pools, and from what level on. */

import type { MetricName } from '@leasehold/core'

/** Each may be a value, or a token of CDK's, or a reference inside a template. */
export interface Monitored {
  readonly namespace: string
  readonly fleet: string
  readonly engine: string
  /** `host:port`. */
  readonly target: string
}

/** The pools' dimensions, as CloudWatch tells metrics apart. */
export function dimensionsOf({ fleet, engine, target }: Monitored): readonly (readonly [string, string])[] {
  return [
    ['Fleet', fleet],
    ['Engine', engine],
    ['Target', target],
  ]
}

/** One line of a chart. */
export interface Line {
  readonly metric: MetricName
  readonly statistic: string
  readonly label: string
}

export const line = (metric: MetricName, statistic: string, label: string): Line => ({
  metric,
  statistic,
  label,
})
