// MariaDB for one file of tests, and MySQL where it is installed.
import { tmpdir } from 'node:os'

import { availability } from '@leasehold/test-databases'
import type mysql from 'mysql2'
import mysql2 from 'mysql2/promise'
import { describe } from 'vitest'

import { type OpenBare, serverUnderTest, type ServerUnderTest } from '../server.ts'

const SETTINGS = { maxConnections: 12, settings: { secure_file_priv: tmpdir() } }

export interface MysqlUnderTest extends ServerUnderTest {
  /** Options for TLS: MySQL makes itself a certificate; MariaDB (before 11.4) does not. */
  readonly tls: readonly { readonly rejectUnauthorized: boolean }[]
}

/** The same tests on MariaDB, and on MySQL where it is installed. */
export async function onEveryServer(tests: (under: MysqlUnderTest) => void): Promise<void> {
  const known = await availability()
  for (const { name, engine, available, start } of known) {
    if (engine === 'postgresql') continue
    const tls = engine === 'mysql' ? [{ rejectUnauthorized: false }] : []
    describe.runIf(available || engine === 'mariadb')(name, () => {
      const under = serverUnderTest(() => start(SETTINGS), openBare)
      tests(Object.create(under, { tls: { value: tls } }) as MysqlUnderTest)
    })
  }
}

const openBare: OpenBare = async (target) => {
  try {
    const connection = await mysql2.createConnection({ ...target })
    connection.on('error', () => {})
    return connection
  } catch (error) {
    if ((error as { code?: string }).code === 'ER_CON_COUNT_ERROR') return undefined
    throw error
  }
}

/** Ends the pools that a test left open. Waits for none: a test that failed may still hold a connection. */
export function endAll(pools: mysql.Pool[]): void {
  for (const pool of pools.splice(0)) pool.end(() => {})
}

/** As the freezing of an environment does: nothing runs, and what arrives meanwhile lies in the socket. */
export function freeze(durationMs: number): void {
  const startMs = performance.now()
  while (performance.now() - startMs < durationMs);
}
