import { describe, expect, it } from 'vitest'

import {
  countPerBucket,
  failureReasons,
  latencyPerBucket,
  peakSessions,
  percentile,
  sessionsAt,
} from '../src/statistics.ts'
import { answer, refusal } from './recordings.ts'

describe('a percentile', () => {
  it('is a value that was measured, whatever their order', () => {
    expect(percentile([30, 10, 20, 40], 0.5)).toBe(20)
    expect(percentile([30, 10, 20, 40], 0.99)).toBe(40)
    expect(percentile([7], 0.5)).toBe(7)
  })

  it('is the largest value at 1 and the smallest at 0', () => {
    expect(percentile([3, 1, 2], 1)).toBe(3)
    expect(percentile([3, 1, 2], 0)).toBe(1)
  })

  it('does not exist where nothing was measured', () => {
    expect(percentile([], 0.5)).toBeUndefined()
  })
})

describe('requests per bucket', () => {
  it('are counted when their response came, with empty buckets in between', () => {
    const invocations = [answer(0, 100), answer(400, 200), refusal(450), refusal(1_200)]
    expect(countPerBucket(invocations, 500, 1_500)).toEqual([
      { startMs: 0, answered: 1, failed: 1 },
      { startMs: 500, answered: 1, failed: 0 },
      { startMs: 1_000, answered: 0, failed: 1 },
    ])
  })

  it('leave out what came after the end', () => {
    expect(countPerBucket([answer(900, 200)], 500, 1_000)).toEqual([
      { startMs: 0, answered: 0, failed: 0 },
      { startMs: 500, answered: 0, failed: 0 },
    ])
  })
})

describe('latency per bucket', () => {
  it('is that of answers, not of failures', () => {
    expect(latencyPerBucket([answer(0, 20), answer(0, 40), refusal(0)], 500)).toEqual([
      { startMs: 0, p50Ms: 20, p99Ms: 40, slowestMs: 40 },
    ])
  })

  it('leaves buckets without an answer out and is in order of time', () => {
    const starts = latencyPerBucket([answer(1_100, 10), answer(0, 10)], 500).map(({ startMs }) => startMs)
    expect(starts).toEqual([0, 1_000])
  })
})

describe('sessions', () => {
  const samples = [
    { atMs: 0, sessionCount: 3 },
    { atMs: 200, sessionCount: 9 },
    { atMs: 400, sessionCount: 5 },
  ]

  it('at a moment are those of the newest sample until then', () => {
    expect(sessionsAt(samples, 399)).toBe(9)
    expect(sessionsAt(samples, 400)).toBe(5)
    expect(sessionsAt(samples, -1)).toBeUndefined()
  })

  it('have a peak, which is 0 without a sample', () => {
    expect(peakSessions(samples)).toBe(9)
    expect(peakSessions([])).toBe(0)
  })
})

it('failure reasons come with the most frequent first, answers left out', () => {
  const invocations = [
    answer(0, 1),
    refusal(0, { failure: 'a' }),
    refusal(0, { failure: 'b' }),
    refusal(0, { failure: 'b' }),
  ]
  expect(failureReasons(invocations)).toEqual([
    { reason: 'b', count: 2 },
    { reason: 'a', count: 1 },
  ])
})
