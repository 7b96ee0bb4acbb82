import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type Consumer, newConsumer } from './consumer.ts'
import { packAll, type Tarballs } from './tarballs.ts'
import { type Outcome, run, WORKSPACE } from './workspace.ts'

/** What an application writes; compiled as ESM and as CommonJS. */
const APPLICATION = `
import { createServer } from 'node:net'

import { alarmRules, LeaseholdMonitoring, monitoringTemplate } from '@leasehold/cdk'
import { type Clock, resolveOptions } from '@leasehold/core'
import { iamToken, secret, type SecretSource } from '@leasehold/core/aws'
import { ManualClock } from '@leasehold/core/testing'
import * as mysqlAdapter from '@leasehold/mysql-adapter'
import serverlessMysql from '@leasehold/mysql-adapter/serverless-mysql'
import { createPool, failureDetails, type FleetView, govern, type GovernedPool, LeaseholdError } from '@leasehold/pg-adapter'
import serverlessPg from '@leasehold/pg-adapter/serverless'
import type { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch'
import type { Construct } from 'constructs'
import mysql2 from 'mysql2'
import pg from 'pg'

const clock: Clock = new ManualClock()
export const leaseMs: number = resolveOptions({ maxLeaseMs: 60_000 }, {}, []).maxLeaseMs + clock.epochMs()

export const pool: pg.Pool = createPool({ host: 'db', max: 2, maxLeaseMs: 60_000, ssl: { rejectUnauthorized: true } })
export async function names(governed: GovernedPool): Promise<readonly string[]> {
  const { rows } = await governed.query<{ name: string }>('select name from shop where id = $1', [1])
  const view: FleetView | undefined = await governed.leasehold.census()
  if (view !== undefined && view.usedCount > view.slotCount) governed.leasehold.drain()
  return rows.map((row) => row.name)
}

const governed = govern(pg)
export const client: pg.Client = new governed.Client({ host: 'db' })
export const escaped: string = governed.escapeIdentifier('shop')

export const mysqlPool: mysql2.Pool = mysqlAdapter.createPool({ host: 'db', connectionLimit: 2, fleet: 'shop' })
export const promised = mysqlAdapter.govern(mysql2).createPool('mysql://db/shop').promise().query('select 1')

const source: SecretSource = secret('shop', { ttlMs: 60_000 })
// Of what shape the loggers of others are, test/adapters/powertools.test.ts says.
export const quiet = createPool({ host: 'db', logger: { warn: (line: string, details?: object) => void [line, details], error: console.error } })
export const tokens = createPool({ host: 'db', user: 'app', credentials: iamToken({ region: 'eu-west-1' }) })
export const secrets = mysqlAdapter.createPool({ host: 'db', credentials: source })

export function explain(error: unknown): string {
  if (LeaseholdError.is(error)) return error.code satisfies mysqlAdapter.LeaseholdErrorCode
  return failureDetails(error)?.summary ?? 'unknown'
}
createServer().close()

const settings: serverlessMysql.Config = { onRetry: (error, retries) => error.message + retries.toFixed(), maxRetries: 3 }
const db: serverlessMysql.ServerlessMysql = serverlessMysql({ ...settings, config: { host: 'db', fleet: 'shop' } })
export const raw: mysql2.Connection | null = db.getClient()
export const step: serverlessMysql.Transaction = db.transaction().query('select 1').query((last) => ['select ?', [last[0].id]])
export const found: Promise<{ name: string }[]> = db.query<{ name: string }[]>('select name from shop where id = ?', [1])
const pgDb: serverlessPg.ServerlessPg = serverlessPg('postgres://db/shop')
export const client2: pg.Client | null = pgDb.getClient()

export function watch(scope: Construct): CfnAlarm | undefined {
  const watched = { namespace: 'Shop', engine: 'mariadb', target: 'db:3306' } as const
  return new LeaseholdMonitoring(scope, 'Monitoring', watched).alarms['WaitingTime']
}
export const levels: readonly number[] = alarmRules(80).map(({ threshold }) => threshold)
export const template: object = monitoringTemplate()

// @ts-expect-error an engine that nobody speaks to
export const wrong = (scope: Construct) => new LeaseholdMonitoring(scope, 'M', { namespace: 'Shop', engine: 'oracle', target: 'db:1521' })
// @ts-expect-error a misspelt option
serverlessMysql({ maxRetry: 1 })
// @ts-expect-error it may be null
db.getClient().threadId.toFixed()

// @ts-expect-error a misspelt option
createPool({ maxLease: 1 })
// @ts-expect-error a lease is a number
mysqlAdapter.createPool({ maxLeaseMs: '1' })
`

const STRICT = {
  module: 'nodenext',
  target: 'es2023',
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  types: ['node'],
}

let tarballs: Tarballs
let consumer: Consumer

beforeAll(async () => {
  tarballs = await packAll()
  consumer = await newConsumer(tarballs)
  await consumer.write({ 'application.mts': APPLICATION, 'application.cts': APPLICATION })
})

afterAll(async () => {
  await consumer?.[Symbol.asyncDispose]()
  await tarballs?.[Symbol.asyncDispose]()
})

async function compile(compilerOptions: object): Promise<Outcome> {
  const config = { compilerOptions: { ...STRICT, ...compilerOptions }, include: ['application.*'] }
  await consumer.write({ 'tsconfig.json': JSON.stringify(config) })
  const compiler = `${WORKSPACE}/node_modules/typescript/bin/tsc`
  return run(process.execPath, [compiler, '--project', '.'], { cwd: consumer.folder })
}

describe('an application in TypeScript, ESM and CommonJS', () => {
  it('compiles against the packed declarations', async () => {
    const outcome = await compile({ skipLibCheck: true })
    expect(outcome, outcome.stdout).toMatchObject({ exitCode: 0, stdout: '' })
  })

  it('compiles where declarations are checked too', async () => {
    const outcome = await compile({ skipLibCheck: false, lib: ['es2023'] })
    const ours = outcome.stdout.split('\n').filter((line) => line.includes('@leasehold'))
    expect(ours, outcome.stdout).toEqual([])
  })
})
