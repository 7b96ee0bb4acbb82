/** The dashboard's body: CloudWatch's own JSON, the same for CDK and CloudFormation. */

import { dimensionsOf, type Line, line, type Monitored } from './monitored.ts'

interface Chart {
  readonly title: string
  readonly lines: readonly Line[]
  readonly unit: string
  /** The pools of all fleets on the server, one line each, in place of `lines`. */
  readonly byFleet?: Line['metric']
  readonly isStacked?: boolean
  /** A level to compare with: its name, and which of the parameters it is. */
  readonly isAgainstTarget?: boolean
}

const CHARTS: readonly Chart[] = [
  {
    title: 'Pressure against its target',
    unit: '%',
    lines: [line('Pressure', 'Maximum', 'highest'), line('Pressure', 'Average', 'average')],
    isAgainstTarget: true,
  },
  {
    title: 'Slots',
    unit: 'sessions',
    lines: [line('SlotsTotal', 'Maximum', 'slots'), line('SlotsUsed', 'Maximum', 'used')],
  },
  { title: 'Sessions by fleet', unit: 'sessions', lines: [], byFleet: 'FleetSessions', isStacked: true },
  {
    title: 'Answered: how requests got their connection',
    unit: 'requests',
    lines: [
      line('ConnectionsReused', 'Sum', 'open already'),
      line('ConnectionsOpened', 'Sum', 'opened'),
      line('ConnectsGivenUp', 'Sum', 'given up'),
      line('ConnectsFailed', 'Sum', 'failed'),
    ],
    isStacked: true,
  },
  {
    title: 'Waited: from asking to having a connection',
    unit: 'ms',
    lines: [
      line('AcquireTime', 'p50', 'half'),
      line('AcquireTime', 'p99', '99 %'),
      line('PoolWaitTime', 'p99', 'for a busy pool, 99 %'),
      line('SlotWaitTime', 'p99', 'for a slot, 99 %'),
    ],
  },
  {
    title: 'Connects, by phase',
    unit: 'ms',
    lines: [
      line('ConnectNetworkTime', 'p90', 'DNS and TCP'),
      line('ConnectTlsTime', 'p90', 'TLS'),
      line('ConnectLoginTime', 'p90', 'login'),
      line('ConnectCensusTime', 'p90', 'first statement'),
    ],
    isStacked: true,
  },
  {
    title: 'Retries by reason',
    unit: 'attempts',
    lines: [
      line('RetriesSaturated', 'Sum', 'no slot free'),
      line('RetriesAuth', 'Sum', 'credential refused'),
      line('RetriesStarting', 'Sum', 'not there yet'),
      line('RetriesLost', 'Sum', 'broke off'),
    ],
    isStacked: true,
  },
  {
    title: 'Slots given back',
    unit: 'sessions',
    lines: [
      line('ConnectionsLapsed', 'Sum', 'lapsed'),
      line('ConnectionsYielded', 'Sum', 'yielded'),
      line('ZombiesReaped', 'Sum', 'reaped'),
      line('ConnectionsLost', 'Sum', 'lost'),
    ],
    isStacked: true,
  },
  {
    title: 'Age of credentials',
    unit: 's',
    lines: [line('TokenAge', 'Maximum', 'token'), line('SecretAge', 'Maximum', 'secret')],
  },
  {
    title: 'Health of credentials',
    unit: 'times',
    lines: [
      line('TokensRenewed', 'Sum', 'tokens signed'),
      line('SecretsRenewed', 'Sum', 'secrets read'),
      line('SecretsServedStale', 'Sum', 'secrets served stale'),
      line('SecretsThrottled', 'Sum', 'secrets throttled'),
    ],
  },
  {
    title: 'Statements',
    unit: 'times',
    lines: [
      line('StatementsReplayed', 'Sum', 'sent again'),
      line('TransactionsRetried', 'Sum', 'transactions run again'),
      line('StatementsCancelled', 'Sum', 'cancelled'),
      line('AmbiguousLosses', 'Sum', 'nobody knows'),
    ],
  },
  {
    title: 'After the response',
    unit: 'ms',
    lines: [line('HousekeepingTime', 'p99', 'housekeeping, 99 %'), line('CensusTime', 'p99', 'census, 99 %')],
  },
]

const COLUMNS = 3
const WIDTH = 8
const HEIGHT = 6
const PERIOD_S = 60

/**
 * @param region a region's name, or what stands for one
 * @param targetPercent the pools' `targetPressure`, in percent
 */
export function dashboardBody(of: Monitored, region: string, targetPercent: number): object {
  return {
    widgets: CHARTS.map((chart, place) => ({
      type: 'metric',
      x: (place % COLUMNS) * WIDTH,
      y: Math.floor(place / COLUMNS) * HEIGHT,
      width: WIDTH,
      height: HEIGHT,
      properties: {
        title: chart.title,
        region,
        view: 'timeSeries',
        stacked: chart.isStacked ?? false,
        period: PERIOD_S,
        metrics:
          chart.byFleet === undefined
            ? chart.lines.map((one) => metricOf(one, of))
            : [search(chart.byFleet, of)],
        yAxis: { left: { min: 0, label: chart.unit, showUnits: false } },
        ...(chart.isAgainstTarget === true
          ? { annotations: { horizontal: [{ label: 'target', value: targetPercent }] } }
          : {}),
      },
    })),
  }
}

function metricOf({ metric, statistic, label }: Line, of: Monitored): unknown[] {
  return [of.namespace, metric, ...dimensionsOf(of).flat(), { stat: statistic, label }]
}

/** Fleets are found by what they send: a new one needs no change here. */
function search(metric: string, { namespace, engine, target }: Monitored): unknown[] {
  const schema = `{"${namespace}",Engine,Fleet,Target}`
  const wanted = `MetricName="${metric}" Engine="${engine}" Target="${target}"`
  const expression = `SEARCH('${schema} ${wanted}', 'Maximum', ${PERIOD_S})`
  return [{ expression, id: 'fleets', label: "${PROP('Dim.Fleet')}" }]
}
