// Names, passwords and limits of the ordinary logins.
import { randomBytes } from 'node:crypto'

import type { Login, LoginLimits } from './server.ts'

/** The database of every server, and the user name of its first login. */
export const APP = 'app'

export function randomPassword(): string {
  return randomBytes(18).toString('base64url')
}

/**
 * `app`, then `app_2`, `app_3` … 0 as a limit means none to MySQL and nobody to PostgreSQL: it is refused
 * here.
 */
export function nextLogin(existing: number, { maxConnections }: LoginLimits = {}): Login {
  if (maxConnections !== undefined && !(Number.isSafeInteger(maxConnections) && maxConnections > 0)) {
    throw new Error(`maxConnections of a login must be a whole number from 1, got ${maxConnections}`)
  }
  return { user: existing === 0 ? APP : `${APP}_${existing + 1}`, password: randomPassword() }
}
