/** One governed connection outside a pool, for libraries that keep connections themselves (Sequelize, older Knex). */

import { Governor, invalidOptions, type Surroundings } from '@leasehold/core'
import type mysql2 from 'mysql2'

import { leaving } from './cancel.ts'
import { PoolDialect } from './dialect.ts'
import type { DriverConnection, MysqlModule } from './driver.ts'
import { labelled, run, runFirst, takeSession } from './governed-connection.ts'
import { limitStatements } from './limited-query.ts'
import { type ConnectionOptions, readOptions } from './options.ts'
import { mendConnection } from './promise-faces.ts'
import { hideSecretsOf } from './secrets.ts'
import { governStreams } from './streams.ts'
import { secureWhenRds, shareContext } from './tls.ts'

/** Set on the process while a connection is made here: whoever else watches the driver leaves it alone. */
const MAKING = Symbol.for('leasehold.mysql.making')

export function createGovernedConnection(
  driver: MysqlModule,
  options: ConnectionOptions | string,
  surroundings: Surroundings = {},
): mysql2.Connection {
  const { resolved, driver: driverOptions } = readOptions(options)
  if (resolved.credentials !== undefined) {
    throw invalidOptions(
      '`credentials` needs a pool: a connection logs in as soon as it is made, before a source could answer',
    )
  }
  if (resolved.onSession !== undefined) {
    throw invalidOptions(
      '`onSession` needs a pool: what is sent on a connection before it is open would not wait for it',
    )
  }
  const dialect = new PoolDialect(resolved.fleet)
  const governor = new Governor(dialect, resolved, surroundings)
  const attributes = driverOptions['connectAttributes'] as Record<string, string> | undefined
  const leased = resolved.lease !== 'off'
  const label = leased ? { connectAttributes: labelled(attributes, governor, { publishedWaitMs: 0 }) } : {}
  const genuine = making(() =>
    driver.createConnection({ ...driverOptions, ...label } as mysql2.ConnectionOptions),
  )
  const connection = genuine as unknown as DriverConnection
  hideSecretsOf(connection)
  shareContext(connection)
  mendConnection(connection)
  limitStatements(connection, governor)
  governStreams(connection, governor)
  if (driverOptions['ssl'] === undefined && !connection.config.ssl) secureWhenRds(connection)
  connection.on('error', ignore)
  connection.once('connect', () => {
    dialect.meet(connection._handshakePacket?.serverVersion ?? '')
    const asked = governor.asksForLease
    // Renewed for as long as the process runs; a server that refuses it leaves a plain connection.
    const leaseMs = asked ? resolved.maxLeaseMs : undefined
    const session = takeSession(connection, governor, undefined, leaving(connection, governor))
    const governed = governor.admit({ connection, hands: session.hands, leaseMs, exact: true })
    session.watch(governed)
    connection.once('end', () => governor.forget(governed))
    // A socket that is destroyed on this side has no end.
    connection.stream.once('close', () => governor.forget(governed))
    connection.once('error', () => governor.forget(governed))
    if (!asked) return
    const first = dialect.setLease(resolved.maxLeaseMs)
    runFirst(session, dialect, first, (statement) => run(connection, statement)).catch(() =>
      governed.lease.grant(resolved.maxLeaseMs, 'client'),
    )
  })
  return genuine
}

function making<T>(make: () => T): T {
  const holder = globalThis as { [MAKING]?: boolean }
  holder[MAKING] = true
  try {
    return make()
  } finally {
    holder[MAKING] = false
  }
}

function ignore(): void {}
