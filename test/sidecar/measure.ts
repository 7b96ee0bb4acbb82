// `pnpm bench:sidecar`: what the layer's extension does to a cold start, to the requests after it and to memory; each
// environment a new one, the ways by turns, in one run.
import { readdir, readFile } from 'node:fs/promises'

import type { LambdaFunction } from '@leasehold/lambda-emulator'

import { FakeCloudWatch } from '../aws/cloudwatch.ts'
import { FakeSecretsManager } from '../aws/secrets-manager.ts'
import { layOut, type Opt } from './opt.ts'

const ROUNDS = 30
const WARM_REQUESTS = 200

const WAYS = ['no extension', 'off', 'on'] as const
type Way = (typeof WAYS)[number]

interface Start {
  readonly initMs: number
  readonly warmMs: number
  readonly memory: Memory
}

/** Of the extension's processes together, MiB. */
interface Memory {
  /** Nobody else's. */
  readonly own: number
  /** With what they share with other processes of Node.js: the function's, on Lambda. */
  readonly resident: number
}

async function start(opt: Opt, way: Way): Promise<Start> {
  const { lambda } = await opt.deploy(
    { LEASEHOLD_SIDECAR: way === 'on' ? 'on' : 'off' },
    {
      handler: 'functions/plain.handler',
      nodeArgs: [],
      ...(way === 'no extension' ? { extensions: [] } : {}),
    },
  )
  try {
    const { queuedMs } = await lambda.invoke({}, { settle: true })
    const latencies: number[] = []
    for (let request = 0; request < WARM_REQUESTS; request += 1) {
      latencies.push((await lambda.invoke({}, { settle: true })).latencyMs)
    }
    return { initMs: queuedMs, warmMs: median(latencies), memory: await memoryOf(opt) }
  } finally {
    await lambda.dispose()
  }
}

/** What it has when it has read a secret and sent metrics: two clients of the SDK. */
async function used(opt: Opt): Promise<Memory> {
  const manager = await FakeSecretsManager.start()
  const cloud = await FakeCloudWatch.start()
  manager.put('shop', 'p1')
  const { lambda }: { lambda: LambdaFunction } = await opt.deploy({
    AWS_ENDPOINT_URL_SECRETS_MANAGER: manager.endpoint,
    METRICS: JSON.stringify({ endpoint: cloud.endpoint, everyMs: 1_000 }),
  })
  try {
    await lambda.invoke({ secretId: 'shop', measure: 1 }, { settle: true })
    while (cloud.requests.length === 0) await lambda.invoke({ after: 50 }, { settle: true })
    return await memoryOf(opt)
  } finally {
    await lambda.dispose()
    await Promise.all([manager.stop(), cloud.stop()])
  }
}

async function memoryOf({ folder }: Opt): Promise<Memory> {
  let ownKib = 0
  let residentKib = 0
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (!line.includes(`${folder}/extensions`)) continue
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
    const kib = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0)
    ownKib += kib('Private_Clean') + kib('Private_Dirty')
    residentKib += kib('Rss')
  }
  return { own: ownKib / 1_024, resident: residentKib / 1_024 }
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN
}

const opt = await layOut()
const starts = new Map<Way, Start[]>(WAYS.map((way) => [way, []]))
for (let round = 0; round < ROUNDS; round += 1) {
  for (const way of WAYS) starts.get(way)?.push(await start(opt, way))
}
/* oxlint-disable no-console -- its output is its table */
console.log('| sidecar | Init p50 ms | warm request p50 ms | memory of its own MiB | resident MiB |')
console.log('| --- | --- | --- | --- | --- |')
for (const [way, all] of starts) {
  const figure = (of: (one: Start) => number): string => median(all.map((one) => of(one))).toPrecision(3)
  const own = figure(({ memory }) => memory.own)
  const resident = figure(({ memory }) => memory.resident)
  const times = [figure(({ initMs }) => initMs), figure(({ warmMs }) => warmMs)].join(' | ')
  console.log(`| ${way} | ${times} | ${own} | ${resident} |`)
}
const { own, resident } = await used(opt)
console.log(`| on, used for a secret and metrics | | | ${own.toPrecision(3)} | ${resident.toPrecision(3)} |`)
await opt.remove()
