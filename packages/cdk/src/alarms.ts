/** The alarms: what a person should be told of, and from what level on. */

import type { MetricName } from '@leasehold/core'

/** What the construct and the template have in common: members of `AWS::CloudWatch::Alarm`. */
export interface AlarmRule {
  /** The resource's name. */
  readonly id: string
  readonly description: string
  readonly metric: MetricName
  /** One of the two. */
  readonly statistic?: 'Sum' | 'Average' | 'Maximum'
  readonly extendedStatistic?: string
  readonly periodS: number
  /** How many periods of the last must be above. */
  readonly datapoints: number
  readonly ofPeriods: number
  readonly threshold: number
}

/** @param targetPercent the pools' `targetPressure`, in percent */
export function alarmRules(targetPercent: number): readonly AlarmRule[] {
  return [
    {
      id: 'SustainedPressure',
      description: `Pressure above ${targetPercent} % for ten minutes: the fleet has too few slots. Lower reserved concurrency or raise max_connections.`,
      metric: 'Pressure',
      statistic: 'Average',
      periodS: 60,
      datapoints: 10,
      ofPeriods: 12,
      threshold: targetPercent,
    },
    {
      id: 'WaitingTime',
      description: 'One request in a hundred waits over a second for its connection, for five minutes.',
      metric: 'AcquireTime',
      extendedStatistic: 'p99',
      periodS: 60,
      datapoints: 5,
      ofPeriods: 5,
      threshold: 1_000,
    },
    {
      id: 'ConnectsGivenUp',
      description:
        'Requests had no connection by their deadline: no slot came free, or the server could not be reached. `leasehold doctor` says which.',
      metric: 'ConnectsGivenUp',
      statistic: 'Sum',
      periodS: 300,
      datapoints: 1,
      ofPeriods: 1,
      threshold: 0,
    },
    {
      id: 'ConnectsFailed',
      description:
        'Requests got no connection because the server refuses them: credentials, database, TLS. `leasehold doctor` says which.',
      metric: 'ConnectsFailed',
      statistic: 'Sum',
      periodS: 300,
      datapoints: 1,
      ofPeriods: 1,
      threshold: 0,
    },
    {
      id: 'AuthenticationRetries',
      description:
        'The server keeps refusing credentials: a wrong password, a rotation that did not end, or a token that is not its own.',
      metric: 'RetriesAuth',
      statistic: 'Sum',
      periodS: 300,
      datapoints: 2,
      ofPeriods: 2,
      threshold: 5,
    },
    {
      id: 'SecretsThrottled',
      description: 'Secrets Manager refuses requests because there are too many: raise `ttlMs`.',
      metric: 'SecretsThrottled',
      statistic: 'Sum',
      periodS: 300,
      datapoints: 1,
      ofPeriods: 1,
      threshold: 0,
    },
    {
      id: 'AmbiguousLosses',
      description:
        'Statements or commits were cut off, and nobody knows whether they took effect: look before they are sent again.',
      metric: 'AmbiguousLosses',
      statistic: 'Sum',
      periodS: 300,
      datapoints: 1,
      ofPeriods: 1,
      threshold: 0,
    },
  ]
}

/** Names and values as CloudFormation has them; `Dimensions` and `Namespace` are the caller's. */
export function alarmProperties(rule: AlarmRule): Record<string, unknown> {
  const { description, metric, statistic, extendedStatistic, periodS, datapoints, ofPeriods, threshold } =
    rule
  return {
    AlarmDescription: description,
    MetricName: metric,
    ...(statistic === undefined ? { ExtendedStatistic: extendedStatistic } : { Statistic: statistic }),
    Period: periodS,
    DatapointsToAlarm: datapoints,
    EvaluationPeriods: ofPeriods,
    Threshold: threshold,
    ComparisonOperator: 'GreaterThanThreshold',
    // A count that stayed 0 is not sent, and a fleet that sleeps sends nothing.
    TreatMissingData: 'notBreaching',
  }
}
