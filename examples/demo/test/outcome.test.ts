import { describe, expect, it } from 'vitest'

import { outcomeOf } from '../src/outcome.ts'
import { summaryTable } from '../src/summary-table.ts'
import { recording } from './recordings.ts'

describe('the outcome of a run', () => {
  it('keeps the two loads apart', () => {
    const { burst, secondFunction } = outcomeOf(recording())
    expect(burst).toMatchObject({ requestCount: 5, answeredCount: 3, failedCount: 2, answeredShare: 0.6 })
    expect(secondFunction).toMatchObject({
      requestCount: 1,
      answeredCount: 0,
      failedCount: 1,
      answeredShare: 0,
    })
  })

  it('takes latency from answers only', () => {
    expect(outcomeOf(recording()).burst).toMatchObject({ p50Ms: 30, p99Ms: 100, slowestMs: 100 })
    expect(outcomeOf(recording()).secondFunction.p99Ms).toBeUndefined()
  })

  it('counts answers per second only while the load was on', () => {
    // Three answers, one of which came after the burst's 8 s.
    expect(outcomeOf(recording()).burst.answersPerSecond).toBe(2 / 8)
  })

  it('counts the environments that answered at least once', () => {
    expect(outcomeOf(recording()).burst.answeringEnvironments).toBe(2)
  })

  it('reads the sessions at the end of the quiet phases', () => {
    expect(outcomeOf(recording())).toMatchObject({
      peakSessions: 27,
      sessionsAfterQuiet: 20,
      sessionsAfterTakenAway: 19,
    })
  })

  it('claims no share where nothing was asked', () => {
    expect(outcomeOf(recording({ invocations: [] })).burst.answeredShare).toBeUndefined()
  })
})

describe('the summary in the terminal', () => {
  const table = summaryTable([
    outcomeOf(recording()),
    outcomeOf(recording({ variant: 'governed', invocations: [] })),
  ])

  it('has its columns in line and fits a terminal of 100 columns', () => {
    const [groups = '', titles = '', bare = ''] = table
    expect(titles.indexOf('server')).toBe(bare.indexOf('PostgreSQL'))
    expect(titles.lastIndexOf('answered') + 'answered'.length).toBe(bare.length)
    expect(groups.trim()).toMatch(/^burst +sessions +second function$/)
    expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(100)
  })

  it('has a row for each run, a dash for what was not measured', () => {
    expect(table[2]).toMatch(/PostgreSQL 18\.4 +bare +60 % +2 +0 +30 ms +100 ms +27 of 27 +20 +0 %/)
    expect(table[3]).toMatch(/PostgreSQL 18\.4 +governed +– +0 +0 +– +– +27 of 27 +20 +–/)
  })
})
