// A function of Managed Instances: each worker thread has a pool of its own, of the size that is its share.
import { threadId } from 'node:worker_threads'

import type { InvocationContext } from '@leasehold/core'
import { lambdaExtension } from '@leasehold/core/lambda'

import { openPool, runOn, type Target } from '../../conformance/askers.ts'

const target = JSON.parse(process.env['FLEET_TARGET'] ?? '{}') as Target
const status = await lambdaExtension()
const pool = openPool(target)
const run = runOn(pool)
const isPostgres = target.engine === 'postgresql'
const LONG = isPostgres ? 'select pg_sleep(30)' : 'select sleep(30)'
const ID = isPostgres ? 'select pg_backend_pid() as id' : 'select connection_id() as id'

interface Asked {
  readonly ask: 'status' | 'stats' | 'work' | 'long' | 'hold' | 'crash'
  readonly ms?: number
  readonly enter?: boolean
}

export async function handler({ ask, ms = 20, enter }: Asked, context: InvocationContext): Promise<unknown> {
  if (enter === true) pool.enter(context)
  switch (ask) {
    case 'status':
      return { ...status, threadId, threads: process.env['UV_THREADPOOL_SIZE'] }
    case 'stats':
      return { threadId, ...pool.stats() }
    case 'work':
      return work(ms)
    case 'long':
      return run(LONG)
    case 'hold':
      return hold()
    case 'crash':
      setImmediate(() => {
        throw new Error('nobody catches this')
      })
      return new Promise(() => {})
  }
}

async function work(ms: number): Promise<unknown> {
  await pool.busy(ms)
  return { threadId, session: (await run(ID))[0]?.['id'] }
}

/** Begins, and goes away with the connection in hand. Its timer runs on: nothing is frozen here. */
async function hold(): Promise<unknown> {
  const held = await pool.connect()
  await held.begin()
  await held.write(1)
  return new Promise(() => {})
}
