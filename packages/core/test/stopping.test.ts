import { describe, expect, it } from 'vitest'

import { failureDetails, LeaseholdError } from '../src/errors.ts'
import { Statements } from '../src/statements.ts'
import type { StatementLimits, Stoppable } from '../src/stopping.ts'
import { fakeDialect } from '../src/testing/fake-dialect.ts'
import { FakeServerError } from '../src/testing/fake-errors.ts'
import { rejectionOf, type Scene, setScene } from './scene.ts'

/** A statement that the test settles, with what was done to it. */
class Statement implements Stoppable<string> {
  readonly did: string[] = []
  settle: (value: string) => void = () => undefined
  fail: (error: unknown) => void = () => undefined
  whenCancelled: () => Promise<void> = async () => undefined

  run(): Promise<string> {
    this.did.push('run')
    return new Promise((resolve, reject) => {
      this.settle = resolve
      this.fail = reject
    })
  }

  cancel(): Promise<void> {
    this.did.push('cancel')
    return this.whenCancelled()
  }

  cut(): void {
    this.did.push('cut')
    this.fail(new FakeServerError('FAKE_RESET', 'cut'))
  }
}

const cancelled = new FakeServerError('FAKE_CANCELLED', 'cancelled')
const hangs = (): Promise<never> => new Promise(() => {})

interface Limited extends Scene {
  readonly statement: Statement
  limited(limits: StatementLimits): Promise<string>
}

function start(spendableMs?: number): Limited {
  const scene = setScene()
  const statement = new Statement()
  const statements = new Statements({ ...scene, dialect: fakeDialect, spendableMs: () => spendableMs })
  return { ...scene, statement, limited: (limits) => statements.limited(limits, statement) }
}

describe('a statement with a limit', () => {
  it('settles as it settles in time, and leaves neither timer nor listener behind', async () => {
    const { statement, limited, clock, stats } = start()
    const { signal } = new AbortController()
    const result = limited({ timeoutMs: 100, signal })
    statement.settle('rows')
    expect(await result).toBe('rows')
    const failing = rejectionOf(limited({ timeoutMs: 100, signal }))
    statement.fail(cancelled)
    expect(await failing).toBe(cancelled)
    expect(clock.pendingCount).toBe(0)
    expect(stats.cancelled).toBe(0)
  })

  it('is cancelled at its limit, and says so with the server’s error as cause', async () => {
    const { statement, limited, clock, stats } = start()
    statement.whenCancelled = async () => statement.fail(cancelled)
    const rejected = rejectionOf(limited({ timeoutMs: 100 }))
    await clock.advance(100)
    const error = await rejected
    expect(error).toMatchObject({ code: 'QUERY_TIMEOUT', cause: cancelled })
    expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: false })
    expect(statement.did).toEqual(['run', 'cancel'])
    expect(stats.cancelled).toBe(1)
    expect(clock.pendingCount).toBe(0)
  })

  it('that succeeds while it is being cancelled for its limit has succeeded', async () => {
    const { statement, limited, clock } = start()
    statement.whenCancelled = async () => statement.settle('rows')
    const result = limited({ timeoutMs: 100 })
    await clock.advance(100)
    expect(await result).toBe('rows')
  })

  it('whose connection is lost while it is being cancelled may have run', async () => {
    const { statement, limited, clock } = start()
    statement.whenCancelled = async () => statement.fail(new FakeServerError('FAKE_RESET', 'gone'))
    const rejected = rejectionOf(limited({ timeoutMs: 100 }))
    await clock.advance(100)
    expect(failureDetails(await rejected)).toMatchObject({ statementMayHaveRun: true })
  })

  it('that runs on when it is cancelled has its connection cut, and may have run', async () => {
    const { statement, limited, clock } = start()
    const rejected = rejectionOf(limited({ timeoutMs: 100 }))
    await clock.advance(1_100)
    const error = await rejected
    expect(LeaseholdError.is(error) && error.message).toContain('its connection was cut')
    expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: true })
    expect(statement.did).toEqual(['run', 'cancel', 'cut'])
    expect(clock.pendingCount).toBe(0)
  })

  it('that ended by itself while the cancel hung keeps its result, but not its connection', async () => {
    const { statement, limited, clock } = start()
    statement.whenCancelled = hangs
    const result = limited({ timeoutMs: 100 })
    await clock.advance(200)
    statement.settle('rows')
    await clock.advance(1_000)
    expect(await result).toBe('rows')
    // The cancel may still arrive, and would hit the next statement.
    expect(statement.did).toEqual(['run', 'cancel', 'cut'])
  })

  it('outlives a cancel that cannot even be asked for, within its patience', async () => {
    const { statement, limited, clock } = start()
    statement.cancel = () => {
      throw new Error('no way to the server')
    }
    const result = limited({ timeoutMs: 100 })
    await clock.advance(100)
    statement.settle('rows')
    await clock.advance(0)
    expect(await result).toBe('rows')
  })

  it('has less patience near the end of the invocation, so that an answer still gets out', async () => {
    const { statement, limited, clock } = start(0)
    const rejected = rejectionOf(limited({ timeoutMs: 100 }))
    await clock.advance(500)
    await rejected
    expect(statement.did).toContain('cut')
  })

  it('is not cancelled where its answer came in during a freeze', async () => {
    const { statement, limited, clock, stats } = start()
    const result = limited({ timeoutMs: 100 })
    clock.freeze(60_000)
    // As after a thaw: the timer is run first, the socket is read after it.
    clock.later(0, () => statement.settle('rows'))
    await clock.advance(0)
    expect(await result).toBe('rows')
    expect(stats.cancelled).toBe(0)
  })

  it('of 0 has none', async () => {
    const { statement, limited, clock } = start()
    const result = limited({ timeoutMs: 0 })
    await clock.advance(900_000)
    statement.settle('rows')
    expect(await result).toBe('rows')
  })
})

describe('a statement with a signal', () => {
  it('is not sent where it has aborted', async () => {
    const { statement, limited } = start()
    expect(await rejectionOf(limited({ signal: AbortSignal.abort('enough') }))).toBe('enough')
    expect(statement.did).toEqual([])
  })

  it('is cancelled when it aborts, and rejects with its reason', async () => {
    const { statement, limited, clock } = start()
    const abort = new AbortController()
    statement.whenCancelled = async () => statement.fail(cancelled)
    const rejected = rejectionOf(limited({ signal: abort.signal }))
    abort.abort('enough')
    expect(await rejected).toBe('enough')
    expect(statement.did).toEqual(['run', 'cancel'])
    expect(clock.pendingCount).toBe(0)
  })

  it('that aborts while it is being sent is heard', async () => {
    const { statement, limited } = start()
    const abort = new AbortController()
    const { run } = statement
    statement.run = () => {
      abort.abort('enough')
      return run.call(statement)
    }
    statement.whenCancelled = async () => statement.fail(cancelled)
    expect(await rejectionOf(limited({ signal: abort.signal }))).toBe('enough')
  })
})
