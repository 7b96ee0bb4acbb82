/** A connection string as the driver's options, so that later ones can be merged into it. */

import { invalidOptions, type LeaseholdOptions } from '@leasehold/core'

type Config = LeaseholdOptions & Readonly<Record<string, unknown>>

/**
 * User, password and database are percent-decoded. The query's values are read as the driver reads them:
 * JSON where it is, text where it is not.
 *
 * @throws LeaseholdError `INVALID_OPTIONS`, without the string: a password is in it
 */
export function parseConnectionString(text: string): Config {
  if (!URL.canParse(text)) throw invalidOptions('the connection string is not a URL')
  const { hostname, port, username, password, pathname, searchParams } = new URL(text)
  const fields = {
    host: decoded(hostname),
    port: port === '' ? undefined : Number(port),
    user: decoded(username),
    password: decoded(password),
    database: decoded(pathname.slice(1)),
  }
  return {
    ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')),
    ...Object.fromEntries([...searchParams].map(([name, value]) => [name, valueOf(value)])),
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalidOptions('the connection string has a "%" that encodes nothing: write it as "%25"')
  }
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
