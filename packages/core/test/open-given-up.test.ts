import { describe, expect, it } from 'vitest'

import { failureDetails } from '../src/errors.ts'
import type { LeaseholdOptions } from '../src/options/options.ts'
import { type FakeErrorCode } from '../src/testing/fake-errors.ts'
import { failure, waitedHalfASecond, opening, refuse } from './opening.ts'
import { census, rejectionOf, type Scene } from './scene.ts'

describe('a caller who aborts', () => {
  const reason = new Error('the pool has ended')

  it('ends a wait between two attempts at once, with the reason and without a timer left', async () => {
    const caller = new AbortController()
    const { result, clock } = opening({}, [refuse('FAKE_NO_SLOT')], caller.signal)
    await clock.advance(10)
    caller.abort(reason)
    await expect(result).rejects.toBe(reason)
    expect(failureDetails(reason)).toBeUndefined()
    expect(clock.pendingCount).toBe(0)
  })

  it.each(['FAKE_NO_SLOT', 'FAKE_STATEMENT_FAILED'] as const)(
    'ends an attempt under way, whatever the driver then says: %s',
    async (code) => {
      const caller = new AbortController()
      const { result, clock, attempts } = opening(
        {},
        [
          ({ signal }) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(failure(code)), { once: true })
            }),
        ],
        caller.signal,
      )
      await clock.advance(10)
      caller.abort(reason)
      await expect(result).rejects.toBe(reason)
      expect(attempts).toHaveLength(1)
      expect(clock.pendingCount).toBe(0)
    },
  )

  it('ends a courtesy', async () => {
    const caller = new AbortController()
    const { result, clock } = opening({}, [() => 'session'], caller.signal, ({ knowledge }) => {
      knowledge.learn(census(26, 26, { labels: [waitedHalfASecond] }))
      knowledge.sawYield()
    })
    await clock.advance(10)
    caller.abort(reason)
    await expect(result).rejects.toBe(reason)
    expect(clock.pendingCount).toBe(0)
  })

  it('makes no attempt where he had aborted before', async () => {
    const { result, attempts } = opening({}, [() => 'session'], AbortSignal.abort(reason))
    await expect(result).rejects.toBe(reason)
    expect(attempts).toEqual([])
  })

  it('still gets the session that a driver brings all the same: it is handed over, not lost', async () => {
    const caller = new AbortController()
    const { result, clock } = opening(
      {},
      [
        async (_attempt, scene) => {
          await scene.clock.sleep(50)
          return 'session'
        },
      ],
      caller.signal,
    )
    await clock.advance(10)
    caller.abort(reason)
    await clock.advance(50)
    await expect(result).resolves.toBe('session')
  })
})

describe('what is said of a wait that was given up', () => {
  const giveUp = async (
    code: FakeErrorCode,
    given: LeaseholdOptions = {},
    prepare?: (scene: Scene) => void,
  ): Promise<{ summary: string | undefined; logged: readonly string[] }> => {
    const options = { acquireTimeoutMs: 300, resumeBudgetMs: 300, ...given }
    const { result, clock, logger } = opening(options, [refuse(code)], undefined, prepare)
    const rejected = rejectionOf(result)
    await clock.advance(300)
    return { summary: failureDetails(await rejected)?.summary, logged: logger.errors }
  }

  it('is what, how long, how often, the census, the last refusal and what to do', async () => {
    const { summary } = await giveUp('FAKE_NO_SLOT', {}, ({ knowledge, clock }) => {
      knowledge.learn(
        census(26, 26, { labels: ['lh:leasehold:0:0:a', 'lh:leasehold:0:0:b', 'lh:other:0:0:c'] }),
      )
      clock.freeze(40)
    })
    expect(summary).toMatch(
      /^no slot within \d+ ms \(\d+ attempts; server 26 of 26 slots, 2 of them of this fleet, 3\d\d ms ago; last refusal FAKE_NO_SLOT\): lower reserved concurrency or raise max_connections$/,
    )
  })

  it.each([
    ['login', "raise the login's connection limit"],
    ['database', "raise the database's connection limit"],
  ] as const)('is of the %s where its limit is the one that binds', async (limit, remedy) => {
    const { summary } = await giveUp('FAKE_NO_SLOT', {}, ({ knowledge }) => {
      knowledge.learn(census(5, 5, { limit }))
    })
    expect(summary).toContain(`; ${limit} 5 of 5 slots, `)
    expect(summary?.endsWith(remedy)).toBe(true)
  })

  it('admits that nothing is known before the first census', async () => {
    expect((await giveUp('FAKE_NO_SLOT')).summary).toContain('; slots not known: no census yet; ')
  })

  it('names the remedy for each kind, and counts a single attempt as one', async () => {
    expect((await giveUp('FAKE_STARTING', { resumeBudgetMs: 0 })).summary).toBe(
      'no connection within 0 ms (1 attempt; slots not known: no census yet; last error FAKE_STARTING): ' +
        'check that the server is up and that host, port and security groups are right',
    )
    expect((await giveUp('FAKE_RESET', { resumeBudgetMs: 0 })).summary).toContain('check the network')
    expect((await giveUp('FAKE_WRONG_PASSWORD')).summary).toMatch(/: check user and password$/)
    expect((await giveUp('FAKE_STATEMENT_FAILED')).summary).toMatch(/last error FAKE_STATEMENT_FAILED\)$/)
  })

  it('goes to the log in the same words', async () => {
    const { summary, logged } = await giveUp('FAKE_NO_SLOT')
    expect(logged).toEqual([`leasehold: ${summary}`])
  })

  it('never carries the text of a driver’s error, which may carry anything', async () => {
    for (const code of ['FAKE_NO_SLOT', 'FAKE_STARTING', 'FAKE_WRONG_PASSWORD'] as const) {
      const { summary, logged } = await giveUp(code)
      expect(summary + logged.join()).not.toContain('hunter2')
    }
  })
})
