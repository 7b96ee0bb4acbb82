/** One governed connection outside a pool, for libraries that keep connections themselves (Sequelize, older Knex). */

import { Governor, LeaseholdError, type Surroundings } from '@leasehold/core'
import type mysql2 from 'mysql2'

import { PoolDialect } from './dialect.ts'
import type { DriverConnection, MysqlModule } from './driver.ts'
import { handsOn, labelled, run, watch } from './governed-connection.ts'
import { type ConnectionOptions, readOptions } from './options.ts'
import { hideSecrets } from './secrets.ts'

export function createGovernedConnection(
  driver: MysqlModule,
  options: ConnectionOptions | string,
  surroundings: Surroundings = {},
): mysql2.Connection {
  const { resolved, driver: driverOptions } = readOptions(options)
  if (resolved.credentials !== undefined) {
    throw new LeaseholdError(
      'INVALID_OPTIONS',
      'invalid options:\n - `credentials` needs a pool: a connection logs in as soon as it is made, before a source could answer',
    )
  }
  const dialect = new PoolDialect()
  const governor = new Governor(dialect, resolved, surroundings)
  const attributes = driverOptions['connectAttributes'] as Record<string, string> | undefined
  const leased = resolved.lease !== 'off'
  const label = leased ? { connectAttributes: labelled(attributes, governor, { publishedWaitMs: 0 }) } : {}
  const genuine = driver.createConnection({ ...driverOptions, ...label } as mysql2.ConnectionOptions)
  const connection = genuine as unknown as DriverConnection
  hideSecrets(connection.config)
  connection.on('error', ignore)
  connection.once('connect', () => {
    const asked = governor.asksForLease
    // Renewed for as long as the process runs; a server that refuses it leaves a plain connection.
    const leaseMs = asked ? resolved.maxLeaseMs : undefined
    const governed = governor.admit({
      connection,
      hands: handsOn(connection, undefined),
      leaseMs,
      exact: true,
    })
    watch(connection, governed, governor)
    connection.once('end', () => governor.forget(governed))
    connection.once('error', () => governor.forget(governed))
    if (asked)
      run(connection, dialect.setLease(resolved.maxLeaseMs)).catch(() =>
        governed.lease.grant(resolved.maxLeaseMs, 'client'),
      )
  })
  return genuine
}

function ignore(): void {}
