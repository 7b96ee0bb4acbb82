/**
 * Statements whose rows are streamed. The server is idle once it has sent the last row, whoever still reads, and
 * nothing can be sent meanwhile to tell it otherwise: it would end a session with a short lease in the middle.
 */

import type { Governor } from '@leasehold/core'

import type { DriverConnection } from './driver.ts'
import { governedOf, run } from './governed-connection.ts'
import { rememberReadable } from './readables.ts'
import { callbackIn, isCommand, type Send, STATEMENT_METHODS } from './statement.ts'

/** From now on a statement in stream style has the longest lease, and housekeeping takes it back after a checkin. */
export function governStreams(connection: DriverConnection, governor: Governor): void {
  for (const method of STATEMENT_METHODS) {
    const send: Send = connection[method].bind(connection)
    connection[method] = (...args) => {
      const [sql, values, callback] = args
      const isStream = isCommand(sql)
        ? sql.onResult === undefined
        : callbackIn(values, callback) === undefined
      if (!isStream) return send(...args)
      lengthenLease(connection, governor)
      return rememberReadable(send(...args))
    }
  }
}

/** In front of the statement, so that there is nobody to wait for. */
function lengthenLease(connection: DriverConnection, governor: Governor): void {
  const { dialect, options } = governor
  const lease = governedOf(connection)?.lease
  if (lease?.keeper !== 'server' || lease.leaseMs >= options.maxLeaseMs) return
  run(connection, dialect.setLease(options.maxLeaseMs, lease.leaseMs)).then(
    () => lease.grant(options.maxLeaseMs),
    // What is wrong with the connection, the statement behind it will tell.
    () => {},
  )
}
