/** Puts a target together: the environment first, then the file, the URL and the command line; the later wins. */

import type { Env } from '@leasehold/core'
import { iamToken, secret } from '@leasehold/core/aws'

import type { Given, TargetArguments } from './arguments.ts'
import { connector } from './connector.ts'
import { readOptionsFile, readText } from './options-file.ts'
import { placeOf } from './place.ts'
import type { Around, PoolOptions, Protocol, Target } from './target.ts'
import { carries, withParts } from './url.ts'
import { UsageError } from './usage.ts'

const PORTS: Readonly<Record<string, Protocol>> = { '5432': 'postgresql', '3306': 'mysql' }
const ENGINES: Readonly<Record<string, Protocol>> = {
  postgresql: 'postgresql',
  postgres: 'postgresql',
  mysql: 'mysql',
  mariadb: 'mysql',
}

/** The names that MySQL's own programs and images read. PostgreSQL's driver reads `PG…` by itself. */
const MYSQL_ENV: Readonly<Record<string, string>> = {
  host: 'MYSQL_HOST',
  port: 'MYSQL_TCP_PORT',
  user: 'MYSQL_USER',
  database: 'MYSQL_DATABASE',
  password: 'MYSQL_PWD',
}
const PLACE = ['host', 'port', 'user', 'database'] as const

/** @throws UsageError with nothing secret in it */
export async function readTarget(asked: TargetArguments, around: Around): Promise<Target> {
  const { env } = around
  const { given, fromEnv } = asked
  const url =
    asked.url ?? (asked.file === undefined && given.host === undefined ? env['LEASEHOLD_URL'] : undefined)
  if (url !== undefined && !URL.canParse(url))
    throw new UsageError('the URL is none: postgres://user@host:port/database')
  const file = asked.file === undefined ? {} : await readOptionsFile(asked.file, around)
  const protocol = protocolOf(asked, url, file, env)
  const { engine: _engine, ...ofFile } = file
  const below = { ...fromEnvironment(protocol, fromEnv, env), ...ofFile }
  const placed = url === undefined ? { ...below, ...placeIn(given) } : inUrl(protocol, url, below, given)
  const options = { ...placed, ...(await securityIn({ ...fromEnv, ...given }, protocol, around)) }
  // Opens nothing: only to have what the application would be told.
  await connector(protocol, options, { most: 1, name: 'leasehold' }).end()
  try {
    placeOf(protocol, options, env)
  } catch {
    // The drivers' own errors may quote a connection string.
    throw new UsageError('the driver cannot read these options: check the URL, and the files that it names')
  }
  return { protocol, options }
}

function protocolOf(
  { given, fromEnv }: TargetArguments,
  url: string | undefined,
  file: PoolOptions,
  env: Env,
): Protocol {
  const named =
    given.engine ?? (url === undefined ? undefined : schemeOf(url)) ?? file['engine'] ?? fromEnv.engine
  if (named !== undefined) {
    const protocol = typeof named === 'string' ? ENGINES[named.toLowerCase()] : undefined
    if (protocol !== undefined) return protocol
    throw new UsageError('the engine must be postgresql, mysql or mariadb: by --engine, or by the URL')
  }
  const inFile = file['connectionString'] ?? file['uri']
  if (typeof inFile === 'string' && URL.canParse(inFile)) {
    const protocol = ENGINES[schemeOf(inFile)]
    if (protocol !== undefined) return protocol
  }
  const port = given.port ?? (file['port'] as number | undefined) ?? fromEnv.port
  const byPort = port === undefined ? undefined : PORTS[port]
  if (byPort !== undefined) return byPort
  if (Object.keys(env).some((name) => /^PG(HOST|HOSTADDR|PORT|USER|DATABASE|PASSWORD)$/.test(name)))
    return 'postgresql'
  if (Object.values(MYSQL_ENV).some((name) => env[name] !== undefined)) return 'mysql'
  throw new UsageError(
    'which server? Give a URL (postgres://… or mysql://…), --engine and --host, --options <file>, or the PG… or MYSQL_… variables',
  )
}

function schemeOf(url: string): string {
  return new URL(url).protocol.slice(0, -1)
}

function fromEnvironment(protocol: Protocol, fromEnv: Given, env: Env): PoolOptions {
  const ofMysql: Record<string, unknown> = {}
  if (protocol === 'mysql') {
    for (const [name, variable] of Object.entries(MYSQL_ENV)) {
      const value = env[variable]
      if (value !== undefined) ofMysql[name] = name === 'port' ? portOf(value) : value
    }
  }
  const password = env['LEASEHOLD_PASSWORD']
  return { ...ofMysql, ...placeIn(fromEnv), ...(password === undefined ? {} : { password }) }
}

function placeIn(given: Given): PoolOptions {
  const place: Record<string, unknown> = {}
  for (const name of PLACE) {
    const value = given[name]
    if (value !== undefined) place[name] = name === 'port' ? portOf(value) : value
  }
  return place
}

function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port <= 65_535) return port
  throw new UsageError('the port must be a whole number from 1 to 65535')
}

/**
 * The URL, with what it does not say itself, and with what the command line says instead: the drivers disagree on
 * whether a URL or an option wins.
 */
function inUrl(protocol: Protocol, url: string, below: PoolOptions, given: Given): PoolOptions {
  const { connectionString: _string, uri: _uri, ...options } = below
  const parts: Record<string, string> = {}
  for (const name of [...PLACE, 'password']) {
    const { [name]: value } = options
    if (typeof value !== 'string' && typeof value !== 'number') continue
    Reflect.deleteProperty(options, name)
    if (!carries(url, name)) parts[name] = String(value)
  }
  for (const [name, value] of Object.entries(placeIn(given))) parts[name] = String(value)
  return { ...options, [protocol === 'postgresql' ? 'connectionString' : 'uri']: withParts(url, parts) }
}

async function securityIn(given: Given, protocol: Protocol, around: Around): Promise<PoolOptions> {
  const { ca, tls, iam, secret: secretId, region, tokenHost, secretEndpoint: endpoint } = given
  if (iam === true && secretId !== undefined) throw new UsageError('--iam or --secret, not both')
  const named = protocol === 'mysql' ? { verifyIdentity: true } : {}
  const trusted = ca === undefined ? {} : { ca: await readText(ca) }
  const isOn = tls ?? (ca === undefined ? undefined : true)
  const ssl = isOn === undefined ? {} : { ssl: isOn ? { ...named, ...trusted } : false }
  const credentials =
    iam === true
      ? { credentials: iamToken({ region, hostname: tokenHost }, around) }
      : secretId === undefined
        ? {}
        : { credentials: secret(secretId, { region, endpoint }, around) }
  return { ...ssl, ...credentials }
}
