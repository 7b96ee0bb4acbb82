/** `pool.query`: sent again on another connection where that is safe, and abandoned where its signal says so. */

import { asGiven, type Governor, statementOptionsIn, statementProblem } from '@leasehold/core'

import type { DriverClient, DriverPool, QueryCallback } from './driver.ts'
import { isSubmittable } from './statement.ts'

/** @param ask the driver's own `query` of the pool */
export function askPool(
  pool: DriverPool,
  governor: Governor,
  ask: DriverPool['query'],
  asked: unknown,
  values: unknown,
  callback: unknown,
): unknown {
  if (typeof asked === 'function' || isSubmittable(asked)) return ask(asked, values, callback)
  const done = (typeof values === 'function' ? values : callback) as QueryCallback | undefined
  const config = asGiven(asked)
  const given = typeof values === 'function' ? undefined : asGiven(values)
  const { idempotent, signal } = statementOptionsIn(config)
  const problem = statementProblem(config)
  const send = (answer: QueryCallback): void => {
    if (problem !== undefined) process.nextTick(answer, problem)
    else if (signal === undefined) ask(config, given, answer)
    else askUnderSignal(pool, signal, config, given, answer)
  }
  const sendAgain = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      send((error, result) => (error ? reject(error) : resolve(result)))
    })
  const recover = (error: unknown): Promise<unknown> =>
    governor.statements.recover(error, idempotent === true, sendAgain, signal)

  if (done === undefined) {
    // The driver's own two promises and no more.
    const { Promise: PromiseClass = Promise } = pool
    return new PromiseClass((resolve, reject) => {
      send((error, result) => (error ? reject(error) : resolve(result)))
    }).catch((error: unknown) => {
      // As the driver does: the stack leads back to the caller instead of into the socket.
      if (error instanceof Error) Error.captureStackTrace(error)
      return recover(error)
    })
  }
  send((failure, result) => {
    if (!failure) {
      done(undefined, result)
      return
    }
    // Out of the promise's reach: what the callback throws is the caller's, not a rejection of ours.
    recover(failure).then(
      (late) => process.nextTick(done, undefined, late),
      (last: unknown) => process.nextTick(done, last),
    )
  })
  return undefined
}

/**
 * While it waits for a connection nothing has been sent: it ends at once, and the connection that comes for
 * it goes back unused. From then on the client answers for the signal.
 */
function askUnderSignal(
  pool: DriverPool,
  signal: AbortSignal,
  config: unknown,
  values: unknown,
  answer: QueryCallback,
): void {
  if (signal.aborted) {
    process.nextTick(answer, signal.reason)
    return
  }
  const onAbort = (): void => answer(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  void pool.connect((error, client, release) => {
    if (signal.aborted) {
      if (error === undefined) release()
      return
    }
    signal.removeEventListener('abort', onAbort)
    if (error !== undefined) {
      answer(error)
      return
    }
    ;(client as DriverClient).query(config, values, (failure?: Error | null, result?: unknown) => {
      release(failure)
      answer(failure, result)
    })
  })
}
