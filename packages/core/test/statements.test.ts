import { describe, expect, it } from 'vitest'

import { annotate, failureDetails } from '../src/errors.ts'
import type { LeaseholdOptions } from '../src/options/options.ts'
import { Statements } from '../src/statements.ts'
import { fakeDialect } from '../src/testing/fake-dialect.ts'
import { type FakeErrorCode, FakeServerError } from '../src/testing/fake-errors.ts'
import { rejectionOf, type Scene, setScene } from './scene.ts'

const failure = (code: FakeErrorCode): FakeServerError => new FakeServerError(code, 'password=hunter2')

interface Recovery extends Scene {
  readonly statements: Statements
  /** How often it was sent again. */
  readonly sent: () => number
  /** Sends again: rejects with these in turn, then resolves to 'done'. */
  readonly send: () => Promise<string>
}

function recovery(
  failures: readonly unknown[],
  given: LeaseholdOptions = {},
  spendableMs?: number,
): Recovery {
  const scene = setScene(given)
  let sent = 0
  return {
    ...scene,
    statements: new Statements({ ...scene, dialect: fakeDialect, spendableMs: () => spendableMs }),
    sent: () => sent,
    send: async () => {
      sent += 1
      const error = failures[sent - 1]
      if (error !== undefined) throw error
      return 'done'
    },
  }
}

const connectFailure = (): FakeServerError => {
  const error = failure('FAKE_STARTING')
  annotate(error, {
    kind: 'starting',
    attempts: 7,
    waitedMs: 900,
    pressure: undefined,
    summary: 'no connection',
  })
  return error
}

describe('a statement whose connection was lost', () => {
  it('is sent again at once where the server proved that it did not read it', async () => {
    const { statements, send, clock, stats } = recovery([])
    expect(await statements.recover(failure('FAKE_LAPSED'), false, send)).toBe('done')
    expect(stats.replayed).toBe(1)
    expect(clock.pendingCount).toBe(0)
  })

  it('is not sent again where it may have run, and its own error says so', async () => {
    const { statements, send, sent } = recovery([])
    const first = failure('FAKE_RESET')
    expect(await rejectionOf(statements.recover(first, false, send))).toBe(first)
    expect(sent()).toBe(0)
    expect(failureDetails(first)).toMatchObject({ kind: 'lost', attempts: 1, statementMayHaveRun: true })
  })

  it('is sent again where it may run twice', async () => {
    const { statements, send } = recovery([])
    expect(await statements.recover(failure('FAKE_RESET'), true, send)).toBe('done')
  })

  it('may be refused by a server that turned read-only, and then is sent to another if it may run twice', async () => {
    const { statements, send } = recovery([])
    expect(await statements.recover(failure('FAKE_READ_ONLY'), true, send)).toBe('done')
    const refused = failure('FAKE_READ_ONLY')
    expect(await rejectionOf(statements.recover(refused, false, send))).toBe(refused)
    expect(failureDetails(refused)).toBeUndefined()
  })

  it('that may run twice is sent again after it lost a race', async () => {
    const { statements, send } = recovery([])
    expect(await statements.recover(failure('FAKE_DEADLOCK'), true, send)).toBe('done')
  })

  it('waits longer and longer between sendings', async () => {
    const losses = [1, 2, 3].map(() => failure('FAKE_RESET'))
    const { statements, send, sent, clock } = recovery(losses)
    const result = statements.recover(failure('FAKE_RESET'), true, send)
    await clock.advance(0)
    expect(sent()).toBe(1)
    await clock.advance(50)
    expect(sent()).toBe(2)
    await clock.advance(99)
    expect(sent()).toBe(2)
    await clock.advance(1 + 200)
    expect(await result).toBe('done')
  })

  it('is given up when the budget is spent, with all sendings counted', async () => {
    const losses = Array.from({ length: 99 }, () => failure('FAKE_RESET'))
    const { statements, send, sent, clock } = recovery(losses, { resumeBudgetMs: 1_000 })
    const rejected = rejectionOf(statements.recover(failure('FAKE_RESET'), true, send))
    await clock.advance(2_000)
    const details = failureDetails(await rejected)
    expect(details?.attempts).toBe(sent() + 1)
    expect(details?.waitedMs).toBeLessThanOrEqual(1_000)
    expect(details?.statementMayHaveRun).toBe(true)
    expect(clock.pendingCount).toBe(0)
  })

  it('begins no sending after the end of the invocation', async () => {
    const losses = Array.from({ length: 99 }, () => failure('FAKE_RESET'))
    const { statements, send, clock } = recovery(losses, {}, 100)
    const rejected = rejectionOf(statements.recover(failure('FAKE_RESET'), true, send))
    await clock.advance(101)
    expect(failureDetails(await rejected)?.waitedMs).toBeLessThanOrEqual(100)
  })

  it('is sent again once without a budget where it was not read, and not at all where it may have run', async () => {
    const { statements, send, sent } = recovery([failure('FAKE_LAPSED')], { resumeBudgetMs: 0 })
    const error = await rejectionOf(statements.recover(failure('FAKE_LAPSED'), false, send))
    expect(failureDetails(error)).toMatchObject({ attempts: 2, statementMayHaveRun: false })
    await rejectionOf(statements.recover(failure('FAKE_RESET'), true, send))
    expect(sent()).toBe(1)
  })

  it('once in doubt stays in doubt when no connection is to be had for the next sending', async () => {
    const { statements, send } = recovery([connectFailure()])
    const error = await rejectionOf(statements.recover(failure('FAKE_RESET'), true, send))
    expect(failureDetails(error)).toMatchObject({
      kind: 'starting',
      attempts: 7,
      waitedMs: 900,
      statementMayHaveRun: true,
    })
  })

  it('not read, and no connection to be had for the next sending: the connect’s own details stay', async () => {
    const { statements, send } = recovery([connectFailure()])
    const error = await rejectionOf(statements.recover(failure('FAKE_LAPSED'), false, send))
    expect(failureDetails(error)).toMatchObject({ summary: 'no connection' })
    expect(failureDetails(error)?.statementMayHaveRun).toBeUndefined()
  })

  it('not read, then lost on the way, is not sent a third time', async () => {
    const { statements, send, sent } = recovery([failure('FAKE_RESET')])
    const error = await rejectionOf(statements.recover(failure('FAKE_LAPSED'), false, send))
    expect(sent()).toBe(1)
    expect(failureDetails(error)).toMatchObject({ attempts: 2, statementMayHaveRun: true })
  })

  it('ends its pause when its signal aborts, with the signal’s reason', async () => {
    const abort = new AbortController()
    const losses = [failure('FAKE_RESET'), failure('FAKE_RESET')]
    const { statements, send, clock } = recovery(losses)
    const rejected = rejectionOf(statements.recover(failure('FAKE_RESET'), true, send, abort.signal))
    await clock.advance(10)
    abort.abort('enough')
    expect(await rejected).toBe('enough')
    expect(clock.pendingCount).toBe(0)
  })

  it('has nothing of its text or of the server’s words in the summary', async () => {
    const { statements, send } = recovery([])
    const error = await rejectionOf(statements.recover(failure('FAKE_RESET'), false, send))
    expect(failureDetails(error)?.summary).toContain('FAKE_RESET')
    expect(failureDetails(error)?.summary).not.toContain('hunter2')
  })
})

describe('a statement that failed by the server’s own word', () => {
  it('is not sent again and its error is left as it is', async () => {
    const { statements, send, sent } = recovery([])
    const first = failure('FAKE_STATEMENT_FAILED')
    expect(await rejectionOf(statements.recover(first, true, send))).toBe(first)
    expect(failureDetails(first)).toBeUndefined()
    expect(sent()).toBe(0)
  })

  it('for want of a connection is not sent again: nothing was sent', async () => {
    const { statements, send, sent } = recovery([])
    const first = connectFailure()
    expect(await rejectionOf(statements.recover(first, true, send))).toBe(first)
    expect(failureDetails(first)?.summary).toBe('no connection')
    expect(sent()).toBe(0)
  })
})

describe('a loss on a connection that the application holds', () => {
  it('counts it once, and not where nothing of the application’s was on the connection', () => {
    const { statements, stats } = recovery([])
    const [lost, idle] = [failure('FAKE_RESET'), failure('FAKE_RESET')]
    statements.explainLoss(lost)
    statements.explainLoss(lost)
    statements.explainLoss(idle, {}, false)
    expect(stats.ambiguous).toBe(1)
  })

  it('is explained: whether the statement may have run', () => {
    const { statements } = recovery([])
    const reset = failure('FAKE_RESET')
    statements.explainLoss(reset)
    expect(failureDetails(reset)).toMatchObject({ statementMayHaveRun: true })
    const lapsed = failure('FAKE_LAPSED')
    statements.explainLoss(lapsed)
    expect(failureDetails(lapsed)).toMatchObject({ statementMayHaveRun: false })
  })

  it('keeps its doubt where the driver gives one error object to several statements', () => {
    const { statements } = recovery([])
    const shared = failure('FAKE_LAPSED')
    annotate(shared, {
      kind: 'lost',
      attempts: 1,
      waitedMs: 0,
      pressure: undefined,
      summary: 'before',
      statementMayHaveRun: true,
    })
    statements.explainLoss(shared)
    expect(failureDetails(shared)?.statementMayHaveRun).toBe(true)
  })

  it('says nothing on an error that is no loss', () => {
    const { statements } = recovery([])
    const error = failure('FAKE_STATEMENT_FAILED')
    statements.explainLoss(error)
    expect(failureDetails(error)).toBeUndefined()
  })
})
