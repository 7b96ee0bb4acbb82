// Worker threads share the places of their environment through the sidecar.
import type { LambdaFunction } from '@leasehold/lambda-emulator'
import { type DatabaseServer, startPostgres } from '@leasehold/test-databases'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'

import { describeOnAws } from './aws-runtime.ts'
import { layOut, type Opt } from './opt.ts'

const WORKERS = 4
const REQUESTS = 32
const CONNECTIONS = 8

let opt: Opt
let server: DatabaseServer
const deployed: LambdaFunction[] = []

beforeAll(async () => {
  opt = await layOut()
  server = await startPostgres()
})
afterAll(async () => {
  await (server as DatabaseServer | undefined)?.dispose()
  await opt.remove()
})
afterEach(async () => {
  await Promise.all(deployed.splice(0).map((lambda) => lambda.dispose()))
})

async function deploy(environment: Record<string, string> = {}): Promise<LambdaFunction> {
  const { host, port, database, login } = server
  const { lambda } = await opt.deploy(
    {
      AWS_LAMBDA_MAX_CONCURRENCY: String(REQUESTS),
      AWS_LAMBDA_NODEJS_WORKER_COUNT: String(WORKERS),
      // AWS's client waits for events on a thread of this pool in every worker; logins and files need some, too.
      UV_THREADPOOL_SIZE: '16',
      TARGET: JSON.stringify({ host, port, database, ...login }),
      ...environment,
    },
    { runtime: 'aws', handler: 'functions/managed.handler', initTimeoutMs: 60_000 },
  )
  deployed.push(lambda)
  await lambda.scaleTo(1)
  return lambda
}

interface Load {
  readonly peak: number
  readonly failures: readonly unknown[]
  readonly sizes: readonly number[]
}

/** So many requests at a time, and so many in all; the server's sessions are counted meanwhile. */
async function load(lambda: LambdaFunction, concurrency: number, count: number, ms = 20): Promise<Load> {
  const failures: unknown[] = []
  const sizes: number[] = []
  let peak = 0
  let left = count
  let isRunning = true
  const counting = (async () => {
    while (isRunning) peak = Math.max(peak, (await server.sessions()).length)
  })()
  const ask = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const { payload, error } = await lambda.invoke({ ms })
      if (error === undefined) sizes.push((payload as { max: number }).max)
      else failures.push(error)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, ask))
  isRunning = false
  await counting
  return { peak, failures, sizes }
}

describeOnAws('worker threads that share their places', () => {
  it('answer many requests at a time within their connections', async () => {
    const lambda = await deploy()
    expect((await lambda.invoke({ ask: 'places' })).payload).toBe(true)
    const { peak, failures } = await load(lambda, REQUESTS, 10 * REQUESTS)
    expect(failures).toEqual([])
    // A place is lent again when its connection has been told to close, and the server may be about to read that.
    expect(peak).toBeLessThanOrEqual(CONNECTIONS + 1)
    expect(peak).toBeGreaterThan(WORKERS)
  })

  it('have their even share when the sidecar dies under load, and answer all the same', async () => {
    const lambda = await deploy()
    const loaded = load(lambda, REQUESTS, 10 * REQUESTS)
    for (let time = 0; time < 3; time += 1) {
      await vi.waitUntil(async () => (await opt.sidecars()).length > 0, { timeout: 15_000, interval: 10 })
      for (const pid of await opt.sidecars()) process.kill(pid, 'SIGKILL')
    }
    const { failures } = await loaded
    expect(failures).toEqual([])
    const after = await load(lambda, REQUESTS, 5 * REQUESTS)
    expect(after.failures).toEqual([])
    expect(after.peak).toBeLessThanOrEqual(CONNECTIONS + 1)
  })
})
