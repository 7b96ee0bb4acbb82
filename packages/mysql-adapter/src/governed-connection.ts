/** Governance of one mysql2 connection: its lease, its label, its end. */

import {
  type Attempt,
  type GovernedConnection,
  type Governor,
  type Hands,
  type Opened,
} from '@leasehold/core'

import { OPTION_PREVENTS_STATEMENT, saysReadOnly } from './classify.ts'
import type { PoolDialect } from './dialect.ts'
import type { DriverConnection } from './driver.ts'

const GOVERNED: unique symbol = Symbol('leasehold.governed')

interface Carrier {
  [GOVERNED]?: GovernedConnection
}

export function governedOf(connection: DriverConnection): GovernedConnection | undefined {
  return (connection as Carrier)[GOVERNED]
}

/** What the connection's home does for the hands on it; a standalone connection has none. */
export interface ConnectionHome {
  idle(connection: DriverConnection): boolean
  yield(connection: DriverConnection): void
  drop(connection: DriverConnection): void
}

/** Runs one statement of ours, whatever the application configured for its own. */
export function run(connection: DriverConnection, sql: string): Promise<readonly unknown[]> {
  return new Promise((resolve, reject) => {
    const options = { sql, nestTables: false, rowsAsArray: false, typeCast: true, namedPlaceholders: false }
    connection.query(options, (error, rows) => {
      if (error) reject(error)
      else resolve(Array.isArray(rows) ? rows : [])
    })
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

/**
 * The first statement of a connected session: the lease. A server that refuses it costs the lease,
 * not the connection.
 */
export async function takeLease(
  connection: DriverConnection,
  governor: Governor,
  dialect: PoolDialect,
  attempt: Attempt,
  home?: ConnectionHome,
): Promise<Opened<DriverConnection>> {
  dialect.meet(connection._handshakePacket?.serverVersion ?? '')
  const hands = handsOn(connection, home)
  if (!governor.asksForLease) return { connection, hands, leaseMs: undefined, exact: false }
  const leaseMs =
    Math.ceil(governor.startLeaseMs(true) / dialect.leaseGranularityMs) * dialect.leaseGranularityMs
  const first = attempt.wasRefused ? dialect.setLease(leaseMs) : dialect.openWithCensus(governor.ladder)
  try {
    await run(connection, first)
    return { connection, hands, leaseMs, exact: attempt.wasRefused }
  } catch (error) {
    if (dialect.classify(error) !== 'fatal' || isClosed(connection)) throw error
    governor.refuseLease('the server or a proxy before it refuses to set wait_timeout')
    return { connection, hands, leaseMs: undefined, exact: false }
  }
}

/** A governor's hands on the connection. */
export function handsOn(connection: DriverConnection, home: ConnectionHome | undefined): Hands {
  return {
    run: (statement) => run(connection, statement),
    ping: () => ping(connection),
    quiet: () => !connection._command && connection._commands.length === 0,
    idle: () => home?.idle(connection) ?? false,
    yield: () => home?.yield(connection),
    drop: () => home?.drop(connection),
  }
}

/** From now on the connection tells its governor what the server says, whoever asks it. */
export function watch(connection: DriverConnection, governed: GovernedConnection, governor: Governor): void {
  Object.defineProperty(connection, GOVERNED, { value: governed })
  // Before the driver reads the answer and, it being the last of its query, releases the connection.
  connection.stream.prependListener('data', () => governor.answered(governed))
  const handlePacket = connection.handlePacket
  // Every style of use (callback, promise, stream, execute) passes here; an error packet is rare.
  connection.handlePacket = function (packet): void {
    if (
      packet?.isError() === true &&
      !governed.spoilt &&
      isReadOnly(packet.buffer, packet.offset, packet.end)
    ) {
      governed.spoilt = true
      governor.stats.evicted += 1
    }
    handlePacket.call(this, packet)
  }
}

const READ_ONLY_ERRNOS = [1792, 1836]

/** An error packet is 0xff, the errno in two bytes, then the text. */
function isReadOnly(buffer: Buffer, offset: number, end: number): boolean {
  const errno = buffer.readUInt16LE(offset + 1)
  if (errno === OPTION_PREVENTS_STATEMENT) return saysReadOnly(buffer.toString('latin1', offset + 3, end))
  return READ_ONLY_ERRNOS.includes(errno)
}

/** Cuts a connection: a polite goodbye would wait for ever on a black hole. */
export function cut(connection: DriverConnection): void {
  connection.destroy()
  connection.stream.destroy()
}
