/** `query` and `execute` of a pool: sent again on another connection where that is safe, and stoppable. */

import { EventEmitter } from 'node:events'

import { asGiven, type Governor, limitsIn, statementOptionsIn } from '@leasehold/core'

import type { DriverPool } from './driver.ts'
import { rememberReadable } from './readables.ts'
import {
  type Answer,
  callbackIn,
  isCommand,
  type Send,
  sendWith,
  type StatementCallback,
  type StatementMethod,
} from './statement.ts'

/** The governed method in place of the driver's. A stream, which has no callback, goes the driver's own way. */
export function governedSend(pool: DriverPool, governor: Governor, method: StatementMethod): Send {
  const send: Send = pool[method].bind(pool)
  return (...args) => {
    const [asked, values, callback] = args
    const done = callbackIn(values, callback)
    if (done === undefined || isCommand(asked)) return rememberReadable(send(...args))
    const sql = asGiven(asked)
    const given = typeof values === 'function' ? undefined : asGiven(values)
    // The driver's own way has no more than one callback around the application's.
    const sendOnce =
      limitsIn(governor, sql) === undefined
        ? (answer: StatementCallback) => sendWith(send, sql, given, answer)
        : (answer: StatementCallback) => sendUnderLimits(pool, method, sql, given, answer)
    return sendOnce(answerFor(governor, sql, sendOnce, done))
  }
}

function answerFor(
  governor: Governor,
  sql: unknown,
  sendOnce: (answer: StatementCallback) => unknown,
  done: StatementCallback,
): StatementCallback {
  let isAnswered = false
  return (error, rows, fields) => {
    // The driver calls back twice where its own `timeout` has passed, and where both halves of an `execute` fail.
    if (isAnswered) return
    isAnswered = true
    if (!error) {
      done(error, rows, fields)
      return
    }
    recover(governor, sql, error, sendOnce, done)
  }
}

function recover(
  governor: Governor,
  sql: unknown,
  first: Error,
  sendOnce: (answer: StatementCallback) => unknown,
  done: StatementCallback,
): void {
  const { idempotent, signal } = statementOptionsIn(sql)
  const sendAgain = (): Promise<Answer> =>
    new Promise((resolve, reject) => {
      sendOnce((error, rows, fields) => (error ? reject(error) : resolve([rows, fields])))
    })
  // Out of the promise's reach: what the callback throws is the caller's, not a rejection of ours.
  governor.statements.recover(first, idempotent === true, sendAgain, signal).then(
    ([rows, fields]) => process.nextTick(done, null, rows, fields),
    (last: unknown) => process.nextTick(done, last),
  )
}

/**
 * While it waits for a connection nothing has been sent: it ends at once, and the connection that comes for
 * it goes back unused. From then on the connection answers for the limits. It goes back only once nothing
 * that was done to stop the statement can reach another.
 */
function sendUnderLimits(
  pool: DriverPool,
  method: StatementMethod,
  sql: unknown,
  values: unknown,
  answer: StatementCallback,
): EventEmitter {
  const { signal } = statementOptionsIn(sql)
  // Stands where the driver returns its command; there is none before there is a connection.
  const nothing = new EventEmitter()
  if (signal?.aborted === true) {
    process.nextTick(answer, signal.reason)
    return nothing
  }
  const onAbort = (): void => answer(signal?.reason as Error)
  signal?.addEventListener('abort', onAbort, { once: true })
  pool.getConnection((error, connection) => {
    if (signal?.aborted === true) {
      connection?.release?.()
      return
    }
    signal?.removeEventListener('abort', onAbort)
    if (error || connection === undefined) {
      answer(error)
      return
    }
    let command: unknown
    const release = (): void => connection.release?.()
    const settle: StatementCallback = (failure, rows, fields) => {
      // The driver's own `timeout` has passed, and the server goes on with the statement.
      const goesOn = (failure as { code?: unknown } | null)?.code === 'PROTOCOL_SEQUENCE_TIMEOUT'
      if (goesOn && command instanceof EventEmitter) command.once('end', release)
      else release()
      answer(failure, rows, fields)
    }
    try {
      command = connection[method](sql, values, settle)
    } catch (failure) {
      settle(failure as Error)
    }
  })
  return nothing
}
