/** Runs one statement of a client under limits of time, or where the client may be unable to take it. */

import { failureDetails, type Governor, type StatementLimits } from '@leasehold/core'

import { type Cancellable, cancelQuery } from './cancel.ts'
import type { DriverQuery, QueryCallback } from './driver.ts'
import { newestQueryOf } from './statement.ts'

/** Gives the statement to the driver. */
export type Send = (callback: QueryCallback) => void

/**
 * Settles when the statement has ended and nothing that was done to stop it can reach another. Rejects as the
 * driver does, with `QUERY_TIMEOUT`, or with the signal's reason.
 *
 * @param cut cuts the client's connection
 */
export async function runLimited(
  client: Cancellable,
  governor: Governor,
  limits: StatementLimits | undefined,
  send: Send,
  cut: () => void,
): Promise<unknown> {
  let query: DriverQuery | undefined
  const run = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      send((error, result) => (error ? reject(error) : resolve(result)))
      query = newestQueryOf(client)
    })
  try {
    if (limits === undefined) return await run()
    return await governor.statements.limited(limits, {
      run,
      cancel: (signal) => cancelQuery(client, query, signal),
      cut,
    })
  } catch (error) {
    // Of a client that is not queryable any more: the driver makes a new error for each statement.
    if (failureDetails(error) === undefined) governor.statements.explainLoss(error, client)
    throw error
  }
}

/** Tells the outcome in the style in which it was asked for: by callback, or by the application's promise. */
export function deliver(
  asked: Promise<unknown>,
  done: QueryCallback | undefined,
  PromiseClass: PromiseConstructor,
): unknown {
  if (done === undefined) {
    return new PromiseClass((resolve, reject) => {
      asked.then(resolve, reject)
    })
  }
  // What the callback throws is the caller's. Before the events of a connection that was cut.
  asked.then(
    (result) => queueMicrotask(() => done(null, result)),
    (error: unknown) => queueMicrotask(() => done(error as Error)),
  )
  return undefined
}
