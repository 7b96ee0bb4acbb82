// How far anybody gets who hands connections over: oracles, by how long each holder keeps its slot, beside Leasehold and
// a central queue.
import { median } from '../../statistics.ts'
import type { SimulatedRun } from '../charts/simulated.ts'
import { subjectOf } from '../charts/subjects.ts'
import { grouped, shareText } from '../charts/wording.ts'
import { table } from './markdown.ts'

const PREFIX = 'bound-'
/** The target that is held against what an oracle can do. */
const P99_MS = 1_000

interface Row {
  readonly policy: string
  /** Of an oracle. */
  readonly quantumMs?: number
  readonly runs: number
  readonly answeredShare: number
  readonly ratePerS: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly worstToMedian: number
  readonly connectsPerS: number
  readonly refusalsPerS: number
}

/** Undefined where a part of it was not simulated. */
export function boundBlock(all: readonly SimulatedRun[]): string | undefined {
  const bound = all.filter(({ scenario }) => scenario.startsWith(PREFIX))
  const first = bound[0]?.scenario
  const of = (policy: string): Row | undefined =>
    rowOf(bound.filter((run) => run.policy === policy && run.scenario === first))
  const queue = of('proxy')
  const leasehold = of('leasehold')
  const names = new Set(bound.map(({ scenario }) => scenario))
  const oracles = [...names].flatMap((name) => {
    const row = rowOf(bound.filter(({ scenario, policy }) => scenario === name && policy === 'oracle'))
    return row === undefined ? [] : [{ ...row, quantumMs: Number(name.slice(PREFIX.length)) }]
  })
  if (queue === undefined || leasehold === undefined || oracles.length === 0) return undefined
  return [tableOf([queue, ...oracles, leasehold], queue), summary(queue, oracles, leasehold)].join('\n\n')
}

/** Medians over the runs. */
function rowOf(runs: readonly SimulatedRun[]): Row | undefined {
  const [first] = runs
  if (first === undefined) return undefined
  const middle = (figure: (run: SimulatedRun) => number): number => median(runs.map(figure))
  return {
    policy: first.policy,
    runs: runs.length,
    answeredShare: Math.min(...runs.map(({ answeredShare }) => answeredShare)),
    ratePerS: middle(({ ratePerS }) => ratePerS),
    p99Ms: middle(({ p99Ms }) => p99Ms),
    maxMs: middle(({ maxMs }) => maxMs),
    worstToMedian: middle(({ worstToMedian }) => worstToMedian),
    connectsPerS: middle(({ connectsPerAnswer, ratePerS }) => connectsPerAnswer * ratePerS),
    refusalsPerS: middle(({ refusalsPerS }) => refusalsPerS),
  }
}

function tableOf(rows: readonly Row[], queue: Row): string {
  return table(rows, [
    ['who', ({ policy }) => subjectOf(policy).title],
    ['takes a slot after', ({ quantumMs }) => (quantumMs === undefined ? '' : `${quantumMs} ms`)],
    ['runs', ({ runs }) => String(runs)],
    ['answered', ({ answeredShare }) => shareText(answeredShare)],
    ['answers/s', ({ ratePerS }) => grouped(ratePerS)],
    ["of the queue's", ({ ratePerS }) => (ratePerS / queue.ratePerS).toFixed(2)],
    ['p99 ms', ({ p99Ms }) => grouped(p99Ms)],
    ['slowest ms', ({ maxMs }) => grouped(maxMs)],
    ['worst/median', ({ worstToMedian }) => worstToMedian.toFixed(2)],
    ['connects/s', ({ connectsPerS }) => grouped(connectsPerS)],
    ['refused/s', ({ refusalsPerS }) => grouped(refusalsPerS)],
  ])
}

function summary(queue: Row, oracles: readonly Row[], leasehold: Row): string {
  const share = (row: Row, whole: Row): string => (row.ratePerS / whole.ratePerS).toFixed(2)
  const sentences: string[] = []
  const within = oracles.filter(({ p99Ms }) => p99Ms <= P99_MS)
  const fastest = within.toSorted((left, right) => right.ratePerS - left.ratePerS)[0]
  if (fastest !== undefined) {
    sentences.push(
      `The fastest oracle that keeps its p99 within ${grouped(P99_MS)} ms has ${share(fastest, queue)} of the central queue's rate; Leasehold has ${share(leasehold, fastest)} of that oracle's rate.`,
    )
  }
  const asFast = oracles.filter(({ ratePerS }) => ratePerS >= leasehold.ratePerS)
  const soonest = asFast.toSorted((left, right) => left.p99Ms - right.p99Ms)[0]
  if (soonest !== undefined) {
    sentences.push(
      `Of the oracles that answer at least as many requests as Leasehold, the best has a p99 of ${grouped(soonest.p99Ms)} ms: Leasehold's is ${(leasehold.p99Ms / soonest.p99Ms).toFixed(2)} times that.`,
    )
  }
  return sentences.join(' ')
}
