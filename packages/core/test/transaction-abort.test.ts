// An abort, or a server that says no more, in every phase of a transaction.

import { describe, expect, it } from 'vitest'

import { annotate, failureDetails, LeaseholdError } from '../src/errors.ts'
import { fakeDialect } from '../src/testing/fake-dialect.ts'
import { FakeServerError } from '../src/testing/fake-errors.ts'
import type { TransactionOptions } from '../src/transaction-options.ts'
import { runTransaction, type TransactionHands } from '../src/transaction.ts'
import { rejectionOf, type Scene, setScene } from './scene.ts'

interface Connection {
  readonly id: number
}

const hang = (): Promise<never> => new Promise(() => {})

interface Stage extends Scene {
  /** What was asked of the hands, in order. */
  readonly did: string[]
  readonly hands: {
    -readonly [name in keyof TransactionHands<Connection>]: TransactionHands<Connection>[name]
  }
  readonly abort: AbortController
  run<T>(work: () => Promise<T>, options?: TransactionOptions): Promise<T>
}

function stage(spendableMs?: number): Stage {
  const scene = setScene()
  const did: string[] = []
  const abort = new AbortController()
  let id = 0
  const hands: Stage['hands'] = {
    checkout: async () => {
      id += 1
      did.push('checkout')
      return { id }
    },
    run: async (_connection, statement) => void did.push(statement),
    commit: async () => {
      did.push('commit')
      return true
    },
    doom: () => undefined,
    cancel: async () => void did.push('cancel'),
    release: () => void did.push('release'),
    destroy: () => void did.push('destroy'),
  }
  const parts = { ...scene, dialect: fakeDialect, spendableMs: () => spendableMs }
  return {
    ...scene,
    did,
    hands,
    abort,
    run: (work, options = { signal: abort.signal }) => runTransaction(parts, hands, work, options),
  }
}

describe('an aborted transaction', () => {
  it('takes no connection where it was aborted before', async () => {
    const { did, abort, run } = stage()
    abort.abort('enough')
    expect(await rejectionOf(run(async () => undefined))).toBe('enough')
    expect(did).toEqual([])
  })

  it('does not wait for its connection, which is given back when it comes', async () => {
    const { did, abort, run, hands } = stage()
    let come: (connection: Connection) => void = () => undefined
    hands.checkout = () => new Promise((resolve) => (come = resolve))
    const rejected = rejectionOf(run(async () => undefined))
    abort.abort('enough')
    expect(await rejected).toBe('enough')
    come({ id: 1 })
    await Promise.resolve()
    expect(did).toEqual(['release'])
  })

  it('does not wait for BEGIN, and runs nothing', async () => {
    const { did, abort, run, hands, clock } = stage()
    hands.run = hang
    let runs = 0
    const rejected = rejectionOf(run(async () => void (runs += 1)))
    await clock.advance(0)
    abort.abort('enough')
    expect(await rejected).toBe('enough')
    expect(did).toEqual(['checkout', 'destroy'])
    expect(runs).toBe(0)
  })

  it('runs nothing where the abort came together with the answer to BEGIN', async () => {
    const { did, abort, run, hands } = stage()
    hands.run = async () => abort.abort('enough')
    let runs = 0
    expect(await rejectionOf(run(async () => void (runs += 1)))).toBe('enough')
    expect(runs).toBe(0)
    expect(did.at(-1)).toBe('destroy')
  })

  it('cancels what runs and cuts the connection, though the function goes on', async () => {
    const { did, abort, run, clock } = stage()
    const rejected = rejectionOf(run(hang))
    await clock.advance(0)
    abort.abort('enough')
    expect(await rejected).toBe('enough')
    expect(did).toEqual(['checkout', 'begin', 'cancel', 'destroy'])
  })

  it('once COMMIT is sent settles as COMMIT does', async () => {
    const { did, abort, run, hands } = stage()
    hands.commit = async () => {
      abort.abort('enough')
      return true
    }
    expect(await run(async () => 'done')).toBe('done')
    expect(did.at(-1)).toBe('release')
  })

  it('ends the pause before its next run', async () => {
    const { did, abort, run, clock } = stage()
    const rejected = rejectionOf(run(() => Promise.reject(new FakeServerError('FAKE_DEADLOCK', 'again'))))
    await clock.advance(1)
    abort.abort('enough')
    expect(await rejected).toBe('enough')
    expect(did).toEqual(['checkout', 'begin', 'rollback', 'release'])
    expect(clock.pendingCount).toBe(0)
  })
})

describe('a server that says no more', () => {
  it('at BEGIN is left for another connection, once', async () => {
    const { did, run, hands, clock } = stage()
    hands.run = hang
    const rejected = rejectionOf(run(async () => undefined))
    await clock.advance(10_000)
    const error = await rejected
    expect(error).toMatchObject({ code: 'QUERY_TIMEOUT', message: 'BEGIN took longer than 5000 ms' })
    expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: false })
    expect(did).toEqual(['checkout', 'destroy', 'checkout', 'destroy'])
    expect(clock.pendingCount).toBe(0)
  })

  it('at COMMIT leaves the outcome unknown', async () => {
    const { did, run, hands, clock } = stage()
    hands.commit = hang
    const rejected = rejectionOf(run(async () => undefined))
    await clock.advance(60_000)
    const error = await rejected
    expect(error).toMatchObject({ code: 'QUERY_TIMEOUT' })
    expect(failureDetails(error)).toMatchObject({ commitOutcome: 'unknown' })
    expect(did).toEqual(['checkout', 'begin', 'destroy'])
    expect(clock.pendingCount).toBe(0)
  })

  it('at COMMIT is waited for no longer than the invocation lasts', async () => {
    const { run, hands, clock } = stage(1_000)
    hands.commit = hang
    const rejected = rejectionOf(run(async () => undefined))
    await clock.advance(1_000)
    expect(failureDetails(await rejected)).toMatchObject({ commitOutcome: 'unknown' })
  })

  it('at ROLLBACK is waited for within the reserve where the invocation is all but over', async () => {
    const { did, run, hands, clock } = stage(0)
    hands.run = (_connection, statement) => (statement === 'rollback' ? hang() : Promise.resolve())
    const rejected = rejectionOf(run(() => Promise.reject(new Error('changed my mind'))))
    await clock.advance(250)
    await rejected
    expect(did.at(-1)).toBe('destroy')
  })

  it('at ROLLBACK costs the connection, and the first error is told', async () => {
    const { did, run, hands, clock } = stage()
    hands.run = (_connection, statement) => (statement === 'rollback' ? hang() : Promise.resolve())
    const rejected = rejectionOf(run(() => Promise.reject(new Error('changed my mind'))))
    await clock.advance(5_000)
    expect(await rejected).toMatchObject({ message: 'changed my mind' })
    expect(did).toEqual(['checkout', 'destroy'])
  })
})

describe('a function that went wrong', () => {
  it('with the error of another transaction is rolled back all the same', async () => {
    const { did, run } = stage()
    const foreign = new LeaseholdError('TRANSACTION_ABORTED', 'of another pool')
    expect(await rejectionOf(run(() => Promise.reject(foreign)))).toBe(foreign)
    expect(did).toEqual(['checkout', 'begin', 'rollback', 'release'])
  })

  it('with a doubt of another pool’s keeps that doubt', async () => {
    const { run } = stage()
    const foreign = new FakeServerError('FAKE_RESET', 'of another pool')
    annotate(foreign, {
      kind: 'lost',
      attempts: 1,
      waitedMs: 0,
      pressure: undefined,
      summary: 'of another pool',
      statementMayHaveRun: true,
    })
    await rejectionOf(run(() => Promise.reject(foreign)))
    expect(failureDetails(foreign)?.statementMayHaveRun).toBe(true)
  })

  it('but says nothing of it is not committed where the server rolled back by itself', async () => {
    const { did, run, hands } = stage()
    const doom = new FakeServerError('FAKE_STATEMENT_FAILED', 'swallowed')
    hands.doom = () => doom
    expect(await rejectionOf(run(async () => 'fine'))).toBe(doom)
    expect(did).toEqual(['checkout', 'begin', 'rollback', 'release'])
  })

  it('is given back exactly once where COMMIT answers that it rolled back', async () => {
    const { did, run, hands } = stage()
    hands.commit = async () => false
    expect(await rejectionOf(run(async () => 'fine'))).toMatchObject({ code: 'TRANSACTION_ABORTED' })
    expect(did).toEqual(['checkout', 'begin', 'release'])
  })
})
