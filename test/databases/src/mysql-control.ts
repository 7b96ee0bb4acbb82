// How this library speaks to a MySQL or MariaDB server as its administrator: one connection, held open, on a
// port of its own that is never full (`admin_port`, `extra_port`).
import { createConnection } from 'mysql2/promise'
import type { Connection, ConnectionOptions } from 'mysql2/promise'

import { LOOPBACK } from './free-port.ts'
import { APP } from './login.ts'
import type { Rows } from './rows.ts'

/** The account behind {@link MysqlControl}. Its sessions are not shown to anybody. */
export const CONTROL_USER = 'leasehold_control'

const CONNECT_WITHIN_MS = 10_000
const ANSWER_WITHIN_MS = 60_000
const LONGEST_WAIT_TIMEOUT_S = 31_536_000

export class MysqlControl {
  readonly #settings: ConnectionOptions
  #connection: Promise<Connection> | undefined

  constructor(port: number, password: string) {
    this.#settings = {
      host: LOOPBACK,
      port,
      user: CONTROL_USER,
      password,
      database: APP,
      multipleStatements: true,
      connectTimeout: CONNECT_WITHIN_MS,
    }
  }

  /** Runs statements; returns the rows of the last one. Connects if need be; never sends anything twice. */
  async query(sql: string): Promise<Rows> {
    this.#connection ??= this.#connect()
    const connection = await this.#connection
    try {
      const [result] = await connection.query({ sql, timeout: ANSWER_WITHIN_MS })
      return rowsOfLast(result)
    } catch (error) {
      // The driver adds the statement to its error; it may hold a password.
      if (error instanceof Error && 'sql' in error) error.sql = undefined
      // It is still in the middle of the answer, and of no use for another question.
      if (error instanceof Error && 'code' in error && error.code === 'PROTOCOL_SEQUENCE_TIMEOUT')
        this.close()
      throw error
    }
  }

  /** Gives the connection up, as when its server is about to end. The next query opens another. */
  close(): void {
    const connection = this.#connection
    this.#connection = undefined
    connection?.then((open) => open.destroy()).catch(() => undefined)
  }

  #connect(): Promise<Connection> {
    const forget = (): void => {
      if (this.#connection === connecting) this.#connection = undefined
    }
    const connecting = createConnection(this.#settings).then(async (connection) => {
      connection.on('error', forget).on('end', forget)
      // A short lease for everybody, set for the whole server, is not meant for this session.
      await connection.query(`set session wait_timeout = ${LONGEST_WAIT_TIMEOUT_S}`)
      return connection
    })
    connecting.catch(forget)
    return connecting
  }
}

/** One result, or an array of results where there were several statements; a result is rows, or a header. */
function rowsOfLast(result: unknown): Rows {
  if (!Array.isArray(result)) return []
  const last: unknown = result.at(-1)
  if (Array.isArray(last)) return last.filter(isRow)
  const isHeader = isRow(last) && 'affectedRows' in last && 'warningStatus' in last
  return isHeader ? [] : result.filter(isRow)
}

function isRow(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
