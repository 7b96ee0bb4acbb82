// The figures that the benchmark is to reach, and whether it did.
import { median } from '../statistics.ts'
import { BUCKET_MS } from './figures.ts'
import type { EngineName, FleetRun } from './result.ts'
import { SECOND_FUNCTION_LIMIT_MS } from './scenarios.ts'

export interface Verdict {
  readonly scenario: string
  readonly engine: EngineName
  readonly target: string
  /** What was measured, in words. */
  readonly found: string
  readonly isMet: boolean
}

/** Of PgBouncer's rate on PostgreSQL, whatever the engine. */
const SHARE_OF_RATE: Readonly<Record<EngineName, number>> = { postgresql: 0.8, mariadb: 0.6, mysql: 0.6 }
const P99_MS = 1_000
const SLOWEST_MS = 3_000
const WORST_TO_MEDIAN = 2
const CONNECTS_PER_ANSWER = 0.01
/** Of the rate that a server with room for everybody gives. */
const SHARE_OF_UNLIMITED = 0.95
const SETTLED_AFTER_MS = 2_000

/** Of Leasehold as its README has it. What a target needs and was not run is left out. */
export function verdictsOf(all: readonly FleetRun[]): readonly Verdict[] {
  const verdicts: Verdict[] = []
  for (const runs of grouped(all.filter(({ subject }) => subject === 'leasehold'))) {
    const [{ scenario, engine }] = runs
    const say = (target: string, found: string, isMet: boolean): void =>
      void verdicts.push({ scenario, engine, target, found, isMet })
    const share = Math.min(
      ...runs.map(({ requests }) => requests.answered / (requests.answered + requests.failed)),
    )
    say('100 % answered', `${(100 * share).toFixed(2)} %`, share === 1)
    const over = Math.max(
      ...runs.map(({ sessions: { peak, slots, headroomLimit = slots } }) => peak - headroomLimit),
    )
    say('no session above the limit less the headroom', over > 0 ? `${over} above` : 'none', over <= 0)
    if (scenario === 'contention') contention(runs, ratesOfPgbouncer(all), say)
    if (scenario === 'plenty') {
      const each = median(runs.map(({ connectsPerAnswer }) => connectsPerAnswer))
      say(`connects an answer below ${CONNECTS_PER_ANSWER}`, each.toFixed(4), each < CONNECTS_PER_ANSWER)
    }
    if (scenario === 'second-function') secondFunction(runs, all, say)
  }
  return verdicts
}

type Say = (target: string, found: string, isMet: boolean) => void
type Runs = readonly [FleetRun, ...FleetRun[]]

function contention(runs: Runs, ratesOfPooler: ReadonlyMap<number, number>, say: Say): void {
  const middle = (figure: (run: FleetRun) => number): number => median(runs.map(figure))
  const ratios = runs.flatMap(({ ratePerS, round }) => {
    // Of the same round, side by side; with another number of rounds, whatever there is.
    const reference = ratesOfPooler.get(round) ?? ratesOfPooler.get(1)
    return reference === undefined ? [] : [ratePerS / reference]
  })
  if (ratios.length > 0) {
    const wanted = SHARE_OF_RATE[runs[0].engine]
    const ratio = median(ratios)
    const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`
    say(`at least ${wanted} of PgBouncer's rate`, `${ratio.toFixed(2)} (${range})`, ratio >= wanted)
  }
  const p99Ms = middle(({ latencyMs }) => latencyMs.p99)
  say(`p99 within ${P99_MS} ms`, `${p99Ms.toFixed(0)} ms`, p99Ms <= P99_MS)
  const slowestMs = middle(({ latencyMs }) => latencyMs.max)
  say(`slowest within ${SLOWEST_MS} ms`, `${slowestMs.toFixed(0)} ms`, slowestMs <= SLOWEST_MS)
  const worst = middle(({ environments }) => environments.worstToMedian)
  say(`worst environment within ${WORST_TO_MEDIAN} medians`, worst.toFixed(2), worst <= WORST_TO_MEDIAN)
}

/** By round. */
function ratesOfPgbouncer(all: readonly FleetRun[]): ReadonlyMap<number, number> {
  const runs = all.filter(({ subject, scenario }) => subject === 'pgbouncer' && scenario === 'contention')
  return new Map(runs.map(({ round, ratePerS }) => [round, ratePerS]))
}

/** On PostgreSQL as it is; elsewhere told of each invocation, and so of the limit beyond which its sessions may be recalled. */
function secondFunction(runs: Runs, all: readonly FleetRun[], say: Say): void {
  const [{ engine }] = runs
  const isPostgres = engine === 'postgresql'
  const those = isPostgres
    ? runs
    : all.filter(
        (run) =>
          run.scenario === 'second-function' && run.subject === 'leasehold-enter' && run.engine === engine,
      )
  const reference = all.find((run) => run.scenario === 'second-function-unlimited' && run.engine === engine)
  if (reference === undefined || those.length === 0) return
  const afterMs = isPostgres ? SETTLED_AFTER_MS : SECOND_FUNCTION_LIMIT_MS + SETTLED_AFTER_MS
  const unlimited = settledRate(reference, afterMs)
  const ratio = median(those.map((run) => settledRate(run, afterMs) / unlimited))
  const who = isPostgres ? 'the second function' : 'told of each invocation, the second function'
  say(
    `${who}, after ${afterMs / 1_000} s, at ${SHARE_OF_UNLIMITED} of its rate on an unlimited server`,
    ratio.toFixed(2),
    ratio >= SHARE_OF_UNLIMITED,
  )
}

/** The second function is alone then. */
function settledRate({ parts, answeredPerS }: FleetRun, afterMs: number): number {
  const { fromMs = 0, durationMs = 0 } = parts?.['second'] ?? {}
  const bucket = (ms: number): number => Math.round(ms / BUCKET_MS)
  const rates = answeredPerS.slice(bucket(fromMs + afterMs), bucket(fromMs + durationMs))
  return rates.reduce((sum, rate) => sum + rate, 0) / rates.length
}

function grouped(runs: readonly FleetRun[]): readonly Runs[] {
  const groups = new Map<string, [FleetRun, ...FleetRun[]]>()
  for (const run of runs) {
    const key = `${run.scenario} ${run.engine}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [run])
    else group.push(run)
  }
  return [...groups.values()]
}
