// A function that registers as an extension of its environment, or does not, and keeps one session.
import type { InvocationContext } from '@leasehold/core'
import { type ExtensionStatus, lambdaExtension } from '@leasehold/core/lambda'
import mysql2 from 'mysql2'
import pg from 'pg'

import { openPool, runOn, type Target } from '../../conformance/askers.ts'
import { makeTrouble } from './troubled-api.ts'

const { EXTENSION, FLEET_TARGET = '{}', GOODBYE, OPEN_IN_INIT } = process.env
makeTrouble()
const { bare, ...target } = JSON.parse(FLEET_TARGET) as Target & { readonly bare?: boolean }
const status: ExtensionStatus | undefined =
  EXTENSION === undefined ? undefined : await lambdaExtension(JSON.parse(EXTENSION) as object)
const pool = bare === true ? undefined : openPool({ max: 1, ...target })
const run = pool === undefined ? bareRun() : runOn(pool)

function bareRun(): (sql: string) => Promise<unknown> {
  const { engine, host, port, database, user, password } = target
  const login = { host, port, database, user, password }
  if (engine !== 'postgresql') {
    const barePool = mysql2.createPool({ ...login, connectionLimit: 1 }).promise()
    return (sql) => barePool.query(sql)
  }
  const barePool = new pg.Pool({ ...login, max: 1 })
  // What its server says while it is idle would end the process.
  barePool.on('error', () => undefined)
  return (sql) => barePool.query(sql)
}

const BUSY = target.engine === 'postgresql' ? 'select pg_sleep(30)' : 'select sleep(30)'

if (OPEN_IN_INIT !== undefined) await run('select 1')
if (GOODBYE !== undefined) {
  process.on('SIGTERM', () => {
    // `process.exit` would wait for the thread on which the client waits for the next event.
    void sayGoodbye(GOODBYE).finally(() => process.kill(process.pid, 'SIGKILL'))
  })
}

async function sayGoodbye(sql: string): Promise<void> {
  await run(sql)
  await pool?.end()
}

interface Asked {
  readonly ask?: 'status' | 'stats' | 'busy' | 'crash' | 'fail' | 'wait' | undefined
}

export async function handler({ ask }: Asked, context: InvocationContext): Promise<unknown> {
  if (ask === 'status') return status
  if (ask === 'stats') return pool?.stats()
  if (ask === 'busy') return run(BUSY)
  if (ask === 'wait') return wait(context)
  await run('select 1')
  if (ask === 'fail') throw new Error('as asked')
  if (ask !== 'crash') return undefined
  setImmediate(() => {
    throw new Error('nobody catches this')
  })
  return new Promise(() => {})
}

/** Waits for a connection that never comes free; says how much time was left when it gave up. */
async function wait(context: InvocationContext): Promise<unknown> {
  const held = await pool?.connect()
  try {
    await run('select 1')
    return 'got one'
  } catch (error) {
    return { code: (error as { code?: string }).code, leftMs: context.getRemainingTimeInMillis() }
  } finally {
    held?.release()
  }
}

interface ResponseStream {
  write(text: string): void
  end(): void
}

/** What Lambda's runtime client gives a module that streams its responses. */
const { awslambda } = globalThis as unknown as {
  readonly awslambda: {
    streamifyResponse(handler: (event: unknown, response: ResponseStream) => Promise<void>): unknown
  }
}

export const stream: unknown = awslambda.streamifyResponse(async (_event, response) => {
  response.write('first, ')
  await run('select 1')
  response.write('second')
  response.end()
})
