import { describe, expect, it } from 'vitest'

import { LeaseholdError } from '../../src/errors.ts'
import { resolveOptions } from '../../src/options/resolve.ts'
import { type Settings, settingsOf } from '../../src/serverless/settings.ts'

const read = (given: object): Settings => settingsOf(given)

function problemsOf(given: object): string[] {
  try {
    read(given)
    return []
  } catch (error) {
    if (!LeaseholdError.is(error) || error.code !== 'INVALID_OPTIONS') throw error
    return error.message.split('\n - ').slice(1)
  }
}

describe('the options of a serverless client', () => {
  it('left out, retry a connect 50 times at the pace of the fleet, and nothing else', () => {
    expect(read({})).toMatchObject({
      isManaged: true,
      maxRetries: 50,
      connectPacing: undefined,
      maxQueryRetries: 0,
      queryPacing: { backoff: 'full', baseMs: 2, capMs: 100 },
      replaysAlways: false,
      returnsSql: false,
      pool: {},
    })
  })

  it.each([{ backoff: 'full' }, { base: 5 }, { cap: 50 }])('given %j, set their own pace', (given) => {
    expect(read(given).connectPacing).toEqual({ backoff: 'full', baseMs: 2, capMs: 100, ...renamed(given) })
  })

  it('take names in any case', () => {
    const { connectPacing, queryPacing } = read({ backoff: 'Decorrelated', queryRetryBackoff: 'FULL' })
    expect([connectPacing?.backoff, queryPacing.backoff]).toEqual(['decorrelated', 'full'])
  })

  it('mean leases, pressure and census to the pool', () => {
    const { pool } = read({
      connUtilization: 0.5,
      usedConnsFreq: 500,
      zombieMinTimeout: 5,
      zombieMaxTimeout: 60,
    })
    expect(pool).toEqual({ targetPressure: 0.5, censusEveryMs: 500, minLeaseMs: 5_000, maxLeaseMs: 60_000 })
  })

  it.each([
    [{ zombieMaxTimeout: 1 }, { minLeaseMs: 1_000, maxLeaseMs: 1_000 }],
    [{ zombieMinTimeout: 400 }, { minLeaseMs: 400_000, maxLeaseMs: 400_000 }],
    [
      { connUtilization: 0, usedConnsFreq: 0 },
      { targetPressure: 0.1, censusEveryMs: 100 },
    ],
    [
      { connUtilization: 7, zombieMaxTimeout: 86_400 },
      { targetPressure: 1, minLeaseMs: 2_000, maxLeaseMs: 900_000 },
    ],
    [{ manageConns: false }, { lease: 'off' }],
  ])('given %j, mean what a pool can do', (given, pool) => {
    expect(read(given).pool).toEqual(pool)
    expect(() => resolveOptions(read(given).pool)).not.toThrow()
  })

  it('name every problem at once', () => {
    const given = {
      backoff: 'decorrelated-jitter',
      base: -1,
      cap: '100',
      maxRetries: Number.POSITIVE_INFINITY,
    }
    expect(problemsOf({ ...given, onRetry: 'log', replayLost: 'sometimes', connUtilization: null })).toEqual([
      "`backoff` must be 'full', 'decorrelated' or a function of the wait before and the number of retries, got a string of 19 characters",
      '`base` must be a whole number from 0, got -1',
      '`cap` must be a whole number from 0, got a string of 3 characters',
      '`maxRetries` must be a whole number from 0, got Infinity',
      '`onRetry` must be a function, got a string of 3 characters',
      "`replayLost` must be 'unread' or 'always', got a string of 9 characters",
      '`connUtilization` must be a number, 0 to 1, got null',
    ])
  })

  it('say what a misspelt one was meant to be, and leave strangers alone', () => {
    expect(problemsOf({ maxRetrys: 1 })).toEqual(['unknown option `maxRetrys` (did you mean `maxRetries`?)'])
    expect(problemsOf({ team: 'payments' })).toEqual([])
  })

  it('refuse a shortest lease above the longest', () => {
    expect(problemsOf({ zombieMinTimeout: 10, zombieMaxTimeout: 5 })).toEqual([
      '`zombieMinTimeout` (10) must not exceed `zombieMaxTimeout` (5)',
    ])
  })
})

function renamed({ base, cap }: { base?: number; cap?: number }): object {
  return { ...(base === undefined ? {} : { baseMs: base }), ...(cap === undefined ? {} : { capMs: cap }) }
}
