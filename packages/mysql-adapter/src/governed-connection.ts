/** Governance of one mysql2 connection: its label, its lease, its end. */

import type { Attempt, GovernedConnection, Governor, Opened } from '@leasehold/core'

import type { PoolDialect } from './dialect.ts'
import type { DriverConnection } from './driver.ts'
import { lockHead, takeMark } from './recall-mark.ts'
import { type ConnectionHome, ConnectionSession, sessionOf } from './session.ts'
import { tellWait } from './wait-locks.ts'

export function governedOf(connection: DriverConnection): GovernedConnection | undefined {
  return sessionOf(connection)?.governed
}

/** Runs one statement of ours, whatever the application configured for its own. */
export function run(connection: DriverConnection, sql: string): Promise<readonly unknown[]> {
  return new Promise((resolve, reject) => {
    const options = { sql, nestTables: false, rowsAsArray: false, typeCast: true, namedPlaceholders: false }
    const done = (error: Error | null, rows: unknown): void => {
      if (error) reject(error)
      else resolve(Array.isArray(rows) ? rows : [])
    }
    // The driver's own, past the limits of the application's statements.
    const { query } = Object.getPrototypeOf(connection) as DriverConnection
    query.call(connection, options, done)
  })
}

function ping(connection: DriverConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.ping((error) => (error ? reject(error) : resolve()))
  })
}

/** Whether the driver itself already knows that this connection is over. */
export function isClosed(connection: DriverConnection): boolean {
  return (
    connection._closing === true ||
    Boolean(connection._fatalError) ||
    Boolean(connection._protocolError) ||
    connection.stream.destroyed ||
    connection.stream.readableEnded
  )
}

/** The connection's attributes with our label among them, where performance_schema shows it. */
export function labelled(
  attributes: Record<string, string> | undefined,
  governor: Governor,
  attempt: Pick<Attempt, 'publishedWaitMs'>,
): Record<string, string> {
  return { ...attributes, leasehold: governor.label(attempt, attributes?.['program_name']) }
}

/** A connected session becomes a governed one: from now on everything on it is watched. */
export function takeSession(
  connection: DriverConnection,
  governor: Governor,
  home: ConnectionHome | undefined,
  leave: () => Promise<void>,
): ConnectionSession {
  return new ConnectionSession(connection, governor, home, {
    run: (statement) => run(connection, statement),
    ping: () => ping(connection),
    leave,
  })
}

/**
 * The first statement of a connected session: the lease. A server that refuses it costs the lease,
 * not the connection.
 */
export async function takeLease(
  connection: DriverConnection,
  session: ConnectionSession,
  dialect: PoolDialect,
  attempt: Attempt,
): Promise<Opened<DriverConnection>> {
  const { governor, hands } = session
  dialect.meet(connection._handshakePacket?.serverVersion ?? '')
  if (!governor.asksForLease) return { connection, hands, leaseMs: undefined, exact: false }
  const leaseMs =
    Math.ceil(governor.startLeaseMs(true) / dialect.leaseGranularityMs) * dialect.leaseGranularityMs
  const first = attempt.queued ? dialect.setLease(leaseMs) : dialect.openWithCensus(governor.ladder)
  const send = (statement: string): Promise<unknown> => run(connection, statement)
  const { fleet } = governor.options
  const terms = hands.pooled ? governor.recallTerms : undefined
  const mark = terms === undefined ? undefined : takeMark(fleet, terms)
  const wait = tellWait(lockHead(fleet), attempt.publishedWaitMs)
  const marked = [first, mark, wait].filter((part) => part !== undefined).join(', ')
  try {
    try {
      await runFirst(session, dialect, marked, send)
    } catch (error) {
      if (marked === first || dialect.classify(error) !== 'fatal' || isClosed(connection)) throw error
      // A cluster may know no locks: then nobody recalls it, and nobody hears that it waited.
      await runFirst(session, dialect, first, send)
    }
    return { connection, hands, leaseMs, exact: attempt.queued }
  } catch (error) {
    if (dialect.classify(error) !== 'fatal' || isClosed(connection)) throw error
    governor.refuseLease('the server or a proxy before it refuses to set wait_timeout')
    return { connection, hands, leaseMs: undefined, exact: false }
  }
}

/** With a limit for idle transactions, or without where the server does not know it: it must not cost the lease. */
export async function runFirst(
  session: ConnectionSession,
  dialect: PoolDialect,
  first: string,
  send: (statement: string) => Promise<unknown>,
): Promise<void> {
  const both = dialect.limitingTransactions(first, session.governor.options.transactionIdleMs)
  if (both !== undefined) {
    try {
      await send(both)
      session.limitsTransactions = true
      return
    } catch (error) {
      if (dialect.classify(error) !== 'fatal') throw error
    }
  }
  await send(first)
}

/** Cuts a connection: a polite goodbye would wait for ever on a black hole. */
export function cut(connection: DriverConnection): void {
  connection.destroy()
  connection.stream.destroy()
}

/** Cuts a connection that may be in use: its place in the pool is free at once, and what is on it fails. */
export function abandon(connection: DriverConnection): void {
  const governed = governedOf(connection)
  const session = sessionOf(connection)
  if (session !== undefined) session.isLeftBehind = true
  if (governed !== undefined) governed.spoilt = true
  connection._removeFromPool?.()
  const isInUse = Boolean(connection._command) || connection._commands.length > 0
  if (isInUse && !isClosed(connection)) {
    const error = new Error('Connection lost: it was closed on this side.')
    connection._handleNetworkError(Object.assign(error, { code: 'PROTOCOL_CONNECTION_LOST' }))
  }
  cut(connection)
}
