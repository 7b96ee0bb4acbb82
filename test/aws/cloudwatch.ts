/**
 * A fake that speaks CloudWatch's protocol (JSON 1.0 over HTTP, compressed or not), on 127.0.0.1, holds requests
 * against CloudWatch's quotas, and fails on demand. That others read the same requests the same way, metrics.test.ts
 * shows on an emulator.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'

import { LoopbackServer } from './loopback.ts'

export interface MetricDatum {
  readonly MetricName: string
  readonly Unit: string
  readonly Timestamp: number
  readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[]
  readonly Values: readonly number[]
  readonly Counts: readonly number[]
}

export interface MetricRequest {
  readonly namespace: string
  readonly data: readonly MetricDatum[]
  readonly isCompressed: boolean
  /** Of the body as it came, and as it was meant. */
  readonly bytes: { readonly sent: number; readonly plain: number }
}

/** What goes wrong with the next request. `slow`: answered when `release` is called, or never. */
export type MetricMishap = 'throttled' | 'internal' | 'denied' | 'invalid' | 'cut' | 'slow'

const REFUSALS = {
  throttled: [400, 'ThrottlingException', 'Rate exceeded'],
  internal: [500, 'InternalServiceFault', 'An error occurred on the server side.'],
  denied: [400, 'AccessDeniedException', 'not authorized to perform: cloudwatch:PutMetricData'],
  invalid: [400, 'InvalidParameterValueException', 'a value is out of range'],
} as const

export class FakeCloudWatch {
  /** Every request that was accepted, in order. */
  readonly requests: MetricRequest[] = []
  /** Those that went wrong as well. */
  arrivedCount = 0
  readonly #server: LoopbackServer
  readonly #mishaps: MetricMishap[] = []
  #always: MetricMishap | undefined

  private constructor() {
    this.#server = new LoopbackServer((request, response) => this.#serve(request, response))
  }

  static async start(): Promise<FakeCloudWatch> {
    const fake = new FakeCloudWatch()
    await fake.#server.start()
    return fake
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }

  get endpoint(): string {
    return this.#server.endpoint
  }

  /** All data points that were accepted. */
  get data(): readonly MetricDatum[] {
    return this.requests.flatMap(({ data }) => data)
  }

  /** The sum over all data points of a metric. */
  sumOf(name: string): number {
    let sum = 0
    for (const { MetricName, Values, Counts } of this.data) {
      if (MetricName === name)
        for (const [place, value] of Values.entries()) sum += value * (Counts[place] ?? 0)
    }
    return sum
  }

  next(...mishaps: readonly MetricMishap[]): void {
    this.#mishaps.push(...mishaps)
  }

  /** Every request goes wrong, until told otherwise by undefined. */
  always(mishap: MetricMishap | undefined): void {
    this.#always = mishap
  }

  /** Resolves once `count` requests have arrived. */
  async arrived(count: number): Promise<void> {
    while (this.arrivedCount < count) await new Promise((resolve) => setImmediate(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await requestIn(request)
    this.arrivedCount += 1
    const mishap = this.#mishaps.shift() ?? this.#always
    if (mishap === 'slow') return
    if (mishap === 'cut') {
      request.socket.destroy()
      return
    }
    const quota = asked === undefined ? 'only PutMetricData is spoken here' : brokenQuota(asked)
    if (mishap !== undefined || quota !== undefined || asked === undefined) {
      const [status, name, message] = REFUSALS[mishap ?? 'invalid']
      response.writeHead(status, { ...HEADERS, 'x-amzn-errortype': name })
      response.end(JSON.stringify({ __type: name, message: quota ?? message }))
      return
    }
    this.requests.push(asked)
    response.writeHead(200, HEADERS).end('{}')
  }
}

const HEADERS = { 'content-type': 'application/x-amz-json-1.0' }

async function requestIn(request: IncomingMessage): Promise<MetricRequest | undefined> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  if (request.headers['x-amz-target'] !== 'GraniteServiceVersion20100801.PutMetricData') return undefined
  const sent = Buffer.concat(chunks)
  const isCompressed = request.headers['content-encoding'] === 'gzip'
  const plain = isCompressed ? gunzipSync(sent) : sent
  const { Namespace, MetricData } = JSON.parse(plain.toString()) as {
    Namespace: string
    MetricData: readonly MetricDatum[]
  }
  const bytes = { sent: sent.length, plain: plain.length }
  return { namespace: Namespace, data: MetricData, isCompressed, bytes }
}

/** Source: PutMetricData's quotas and its rules for a data point. */
function brokenQuota({ data, bytes }: MetricRequest): string | undefined {
  if (data.length > 1_000) return `${data.length} metrics in one request`
  if (bytes.plain > 1_048_576) return `${bytes.plain} bytes in one request`
  for (const { MetricName, Values, Counts, Dimensions } of data) {
    if (Values.length > 150) return `${Values.length} values of ${MetricName}`
    if (Values.length === 0 || Values.length !== Counts.length) return `values and counts of ${MetricName}`
    if (Values.some((value) => !Number.isFinite(value))) return `a value of ${MetricName}`
    if (Counts.some((count) => !(count > 0))) return `a count of ${MetricName}`
    if (Dimensions.length > 30) return `${Dimensions.length} dimensions`
  }
  return undefined
}
