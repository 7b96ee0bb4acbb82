// The runs of one scenario on one engine, by subject; several rounds become one figure by their median.
import type { EngineName, FleetRun, SubjectName } from '../result.ts'
import { SUBJECTS } from '../result.ts'

/** One subject in one scenario on one engine, all its rounds. */
export interface Entry {
  readonly subject: SubjectName
  readonly runs: readonly FleetRun[]
}

export interface Group {
  readonly scenario: string
  readonly engine: EngineName
  /** In the order of `SUBJECTS`. */
  readonly entries: readonly Entry[]
}

const ENGINE_ORDER: readonly EngineName[] = ['postgresql', 'mariadb', 'mysql']

/** Scenarios in the order they were run in, engines in an order of their own. */
export function groupsOf(runs: readonly FleetRun[]): readonly Group[] {
  const scenarios = [...new Set(runs.map(({ scenario }) => scenario))]
  return scenarios.flatMap((scenario) =>
    ENGINE_ORDER.map((engine) => {
      const inGroup = runs.filter((run) => run.scenario === scenario && run.engine === engine)
      const entries = SUBJECTS.map((subject) => ({
        subject,
        runs: inGroup.filter((run) => run.subject === subject),
      }))
      return { scenario, engine, entries: entries.filter((entry) => entry.runs.length > 0) }
    }).filter(({ entries }) => entries.length > 0),
  )
}

export interface Range {
  readonly low: number
  readonly median: number
  readonly high: number
}

/** Of the rounds; what is not a number (a latency of no request) is left out. NaN of nothing. */
export function rangeOf<T>(runs: readonly T[], figure: (run: T) => number): Range {
  const values = runs
    .map(figure)
    .filter((value) => Number.isFinite(value))
    .toSorted((left, right) => left - right)
  const [low = Number.NaN] = values
  const high = values.at(-1) ?? Number.NaN
  const upper = values[Math.floor(values.length / 2)] ?? Number.NaN
  const lower = values[Math.floor((values.length - 1) / 2)] ?? Number.NaN
  return { low, median: (lower + upper) / 2, high }
}

export function medianOf<T>(runs: readonly T[], figure: (run: T) => number): number {
  return rangeOf(runs, figure).median
}

/** The round whose rate is in the middle: a course over time can't be a median. */
export function middleRun({ runs }: Entry): FleetRun {
  const sorted = runs.toSorted((left, right) => left.ratePerS - right.ratePerS)
  const run = sorted[Math.floor((sorted.length - 1) / 2)]
  if (run === undefined) throw new Error('an entry has at least one run')
  return run
}

/** Of what came to an environment, in all rounds together: one failure in any of them shows. */
export function answeredShare(runs: readonly Pick<FleetRun, 'requests'>[]): number {
  const answered = sum(runs, ({ requests }) => requests.answered)
  return answered / Math.max(1, answered + sum(runs, ({ requests }) => requests.failed))
}

export function sum<T>(runs: readonly T[], figure: (run: T) => number): number {
  return runs.reduce((total, run) => total + figure(run), 0)
}

/** Of all rounds, in the order of the scenario. */
export function partsOf(entries: readonly Entry[]): readonly string[] {
  return [...new Set(entries.flatMap(({ runs }) => runs.flatMap(({ parts }) => Object.keys(parts ?? {}))))]
}
