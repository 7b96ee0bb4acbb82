// Asks for secrets and tokens, in this thread and in others, and measures something.

import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

import { iamToken, secret, sidecarMetrics } from '@leasehold/core/aws'

const TARGET = { host: 'db.abc.eu-west-1.rds.amazonaws.com', port: 5432, user: 'app' }
const of = { Fleet: 'shop', Engine: 'postgresql', Target: 'db:5432' }
const request = (more = {}) => ({
  target: TARGET,
  refusals: 0,
  signal: new AbortController().signal,
  ...more,
})

const ask = async ({ secretId, token, source = 'sidecar', limitMs }) =>
  token === undefined
    ? await secret(secretId, { source, limitMs }).get(request())
    : await iamToken({ source: 'sidecar' }).get(request())

const inThread = (event) =>
  new Promise((resolve, reject) => {
    new Worker(new URL(import.meta.url), { workerData: event }).on('message', resolve).on('error', reject)
  })

const metrics = sidecarMetrics({ namespace: 'Shop', ...JSON.parse(process.env.METRICS ?? '{}') })

export const handler = async (event) => {
  if (event.measure !== undefined) {
    for (let count = 0; count < event.measure; count += 1) metrics.record('ConnectTime', 10 + count, 1, of)
  }
  // Awake for as long as the test has to do with the environment.
  while (event.until !== undefined && !existsSync(event.until)) await pause(10)
  // Whatever else it has to do: the next turns of the loop.
  if (event.after !== undefined) await pause(event.after)
  if (event.flush) return { problem: await metrics.flush(false) }
  if (event.crash === 'throw')
    setImmediate(() => {
      throw new Error('crashed')
    })
  if (event.crash === 'kill') process.kill(process.pid, 'SIGKILL')
  if (event.crash !== undefined) await new Promise(() => setInterval(() => {}, 1_000))
  if (event.threads !== undefined) {
    const answers = await Promise.all(Array.from({ length: event.threads }, () => inThread(event)))
    return answers
  }
  if (event.secretId === undefined && event.token === undefined) return 'done'
  const begun = performance.now()
  const { user, password } = await ask(event)
  return { user, password, tookMs: performance.now() - begun }
}

if (!isMainThread && workerData?.threads !== undefined) {
  const { user, password } = await ask(workerData)
  parentPort.postMessage({ user, password }, [])
}
