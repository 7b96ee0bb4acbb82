// A durable function, in its SDK's own local runner: replayed after each wait, here in another environment.
import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js'
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing'
import { createPool, type GovernedPool, transaction } from '@leasehold/pg-adapter'
import { type DatabaseServer, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../conformance/subject.ts'

let server: DatabaseServer

beforeAll(async () => {
  server = await startPostgres()
  await server.admin('create table orders (step text)')
  await server.admin('grant all on orders to public')
  // In real time: the other way replaces the timers of the whole process.
  await LocalDurableTestRunner.setupTestEnvironment({ skipTime: false })
})
afterAll(async () => {
  await LocalDurableTestRunner.teardownTestEnvironment()
  await server.dispose()
})

describe('a durable function that uses the database inside steps alone', () => {
  it('runs each of them once, over environments, and holds nothing while it waits', async () => {
    const pools: GovernedPool[] = []
    const { host, port, database, login } = server
    const heldAtBegin: number[] = []

    const handler = withDurableExecution(async (_event: unknown, context: DurableContext) => {
      const held = (await server.sessions()).filter(
        ({ idle, inTransaction }) => !idle || inTransaction !== false,
      )
      heldAtBegin.push(held.length)
      // What a replay finds in its environment is a pool of its own.
      const pool = createPool({ host, port, database, ...login, max: 1 })
      pools.push(pool)
      pool.leasehold.enter(context.lambdaContext)
      const write = (step: string): Promise<string> =>
        transaction(pool, async (client) => {
          await client.query('insert into orders values ($1)', [step])
          return step
        })
      const first = await context.step('reserve', () => write('reserved'))
      await context.wait({ seconds: 1 })
      const second = await context.step('pay', () => write('paid'))
      return [first, second]
    })

    const runner = new LocalDurableTestRunner({ handlerFunction: handler })
    const execution = await runner.run({ payload: {} })
    expect([execution.getStatus(), execution.getResult()]).toEqual(['SUCCEEDED', ['reserved', 'paid']])
    expect(await server.admin('select step from orders')).toEqual([{ step: 'reserved' }, { step: 'paid' }])
    expect(pools.length).toBeGreaterThan(1)
    expect(heldAtBegin.every((count) => count === 0)).toBe(true)
    expect(pools.map((pool) => pool.leasehold.stats().opened)).toEqual([1, 1])
    await Promise.all(pools.map((pool) => pool.end()))
    await eventually('no session left', async () => (await server.sessions()).length === 0)
  })
})
