/** What the errors of MySQL, MariaDB and mysql2 mean. */

import type { ErrorKind } from '@leasehold/core'

const BY_ERRNO: Readonly<Record<number, ErrorKind>> = {
  1040: 'saturated', // ER_CON_COUNT_ERROR: max_connections
  1203: 'saturated', // ER_TOO_MANY_USER_CONNECTIONS: global max_user_connections
  1226: 'saturated', // ER_USER_LIMIT_REACHED: the account's own limit
  1045: 'auth', // ER_ACCESS_DENIED_ERROR
  1698: 'auth', // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
  1792: 'read-only', // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
  1836: 'read-only', // ER_READ_ONLY_MODE
  4031: 'lost', // ER_CLIENT_INTERACTION_TIMEOUT: wait_timeout ran out
  1053: 'lost', // ER_SERVER_SHUTDOWN
  1152: 'lost', // ER_ABORTING_CONNECTION
  1184: 'lost', // ER_NEW_ABORTING_CONNECTION
  1927: 'lost', // ER_CONNECTION_KILLED (MariaDB)
  3169: 'lost', // ER_SESSION_WAS_KILLED
  1041: 'starting', // ER_OUT_OF_RESOURCES
  1205: 'transient', // ER_LOCK_WAIT_TIMEOUT
  1213: 'transient', // ER_LOCK_DEADLOCK
}

const BY_CODE: Readonly<Record<string, ErrorKind>> = {
  PROTOCOL_CONNECTION_LOST: 'lost',
  ECONNRESET: 'lost',
  EPIPE: 'lost',
  ECONNABORTED: 'lost',
  ECONNREFUSED: 'starting',
  ETIMEDOUT: 'starting',
  EHOSTUNREACH: 'starting',
  ENETUNREACH: 'starting',
  EAI_AGAIN: 'starting',
}

/** ER_OPTION_PREVENTS_STATEMENT is raised for many options; only this one means a demoted writer. */
export const OPTION_PREVENTS_STATEMENT = 1290

/** The driver gives this condition no code. */
const CLOSED_TEXT = "Can't add new command when connection is in closed state"

export function classify(error: unknown): ErrorKind {
  if (typeof error !== 'object' || error === null) return 'fatal'
  const { code, errno, message } = error as { code?: unknown; errno?: unknown; message?: unknown }
  const text = typeof message === 'string' ? message : ''
  if (errno === OPTION_PREVENTS_STATEMENT) return saysReadOnly(text) ? 'read-only' : 'fatal'
  const byErrno = typeof errno === 'number' ? BY_ERRNO[errno] : undefined
  if (byErrno !== undefined) return byErrno
  if (typeof code === 'string') return BY_CODE[code] ?? 'fatal'
  return text === CLOSED_TEXT ? 'lost' : 'fatal'
}

/** 4031 ends a session only while the server waits for a statement; the driver's text, that it sent nothing. */
export function provesUnread(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { code, errno, message } = error as { code?: unknown; errno?: unknown; message?: unknown }
  return errno === 4031 || (code === undefined && message === CLOSED_TEXT)
}

/** Whether the text of error 1290 names the read-only option, as `--read-only` or `--super-read-only`. */
export function saysReadOnly(text: string): boolean {
  return /read[-_ ]only/i.test(text)
}
