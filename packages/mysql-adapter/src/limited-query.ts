/** `query` and `execute` of a connection, which may be stopped: at a limit of time, or by a signal. */

import { EventEmitter } from 'node:events'

import { type Governor, limitsIn, type StatementLimits } from '@leasehold/core'

import { cancelStatement } from './cancel.ts'
import type { DriverCommand, DriverConnection } from './driver.ts'
import { abandon } from './governed-connection.ts'
import {
  type Answer,
  callbackIn,
  isCommand,
  type Send,
  sendWith,
  STATEMENT_METHODS,
  type StatementCallback,
} from './statement.ts'

/** Whatever has no limit goes the driver's own way. */
export function limitStatements(connection: DriverConnection, governor: Governor): void {
  for (const method of STATEMENT_METHODS) {
    const send: Send = connection[method].bind(connection)
    connection[method] = (...args) => {
      const [sql, values, callback] = args
      const done = callbackIn(values, callback)
      if (done === undefined || isCommand(sql)) return send(...args)
      const limits = limitsIn(governor, sql)
      if (limits === undefined) return send(...args)
      const given = typeof values === 'function' ? undefined : values
      return sendLimited(connection, governor, limits, (answer) => sendWith(send, sql, given, answer), done)
    }
  }
}

/**
 * Calls back when the statement has ended and nothing that was done to stop it can reach another. Returns
 * the driver's command.
 */
function sendLimited(
  connection: DriverConnection,
  governor: Governor,
  limits: StatementLimits,
  send: (answer: StatementCallback) => unknown,
  done: StatementCallback,
): unknown {
  let command: DriverCommand | undefined
  const limited = governor.statements.limited(limits, {
    run: () =>
      new Promise<Answer>((resolve, reject) => {
        command = send((error, rows, fields) => {
          if (error) reject(error)
          else resolve([rows, fields])
        }) as DriverCommand
      }),
    cancel: async (signal) => {
      if (command !== undefined) await cancelStatement(connection, governor, command, signal)
    },
    cut: () => abandon(connection),
  })
  // Out of the promise's reach: what the callback throws is the caller's, not a rejection of ours.
  limited.then(
    ([rows, fields]) => process.nextTick(done, null, rows, fields),
    (error: unknown) => process.nextTick(done, error),
  )
  // Its signal had aborted: nothing was sent.
  return command ?? new EventEmitter()
}
