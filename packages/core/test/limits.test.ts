import { describe, expect, it } from 'vitest'

import { acquireLimitMs, statementLimits } from '../src/limits.ts'
import { governedScene } from './governed-scene.ts'
import { rejectionOf } from './scene.ts'

describe('the wait for a connection', () => {
  it('ends at its own limit or with the invocation, whichever comes first', () => {
    expect(acquireLimitMs(10_000, undefined)).toBe(10_000)
    expect(acquireLimitMs(10_000, 2_500)).toBe(2_500)
    expect(acquireLimitMs(10_000, 60_000)).toBe(10_000)
  })

  it('is long enough for one attempt', () => {
    expect(acquireLimitMs(10_000, 0)).toBe(1)
  })

  it('for a server that is starting ends with the invocation too', async () => {
    const { governor, server, clock, open } = governedScene()
    server.restart(60_000)
    governor.enter({ awsRequestId: 'one', getRemainingTimeInMillis: () => 2_000 })
    const rejected = rejectionOf(open())
    await clock.advance(1_500)
    expect(await rejected).toMatchObject({ code: 'FAKE_STARTING', leasehold: { kind: 'starting' } })
  })
})

describe('the limits of a statement', () => {
  it('are none unless something sets one, so that the plain path stays plain', () => {
    expect(statementLimits({}, 0, undefined)).toBeUndefined()
    expect(statementLimits({ timeoutMs: 0 }, 5_000, undefined)).toBeUndefined()
  })

  it('are its own before the pool’s', () => {
    expect(statementLimits({}, 5_000, undefined)).toMatchObject({ timeoutMs: 5_000 })
    expect(statementLimits({ timeoutMs: 100 }, 5_000, undefined)).toMatchObject({ timeoutMs: 100 })
  })

  it('end with the invocation where its end is known', () => {
    expect(statementLimits({}, 0, 2_500)).toMatchObject({ timeoutMs: 2_500 })
    expect(statementLimits({ timeoutMs: 5_000 }, 0, 2_499.2)).toMatchObject({ timeoutMs: 2_500 })
    expect(statementLimits({ timeoutMs: 100 }, 0, 2_500)).toMatchObject({ timeoutMs: 100 })
    expect(statementLimits({}, 0, 0)).toMatchObject({ timeoutMs: 1 })
  })

  it('may be a signal alone', () => {
    const { signal } = new AbortController()
    expect(statementLimits({ signal }, 0, undefined)).toEqual({ timeoutMs: 0, signal })
  })

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 900_001, '100' as never, null as never])(
    'are not %s',
    (timeoutMs) => {
      expect(() => statementLimits({ timeoutMs }, 0, undefined)).toThrow(
        '`queryTimeoutMs` must be a whole number of milliseconds from 0 to 900000',
      )
    },
  )
})
