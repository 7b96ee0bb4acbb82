/** Hands data points to CloudWatch, by the application's AWS SDK. */

import type * as Sdk from '@aws-sdk/client-cloudwatch'

import type { Env } from '../env.ts'
import type { CloudWatchOptions } from './cloudwatch.ts'
import { dateOf } from './dates.ts'
import { identityFrom } from './identity.ts'
import { elsewhereOrFail } from './load.ts'
import { regionOfEnv } from './region.ts'
import type { Datum } from './series.ts'

/** Sends one request. Rejects with the service's error. */
export type Deliver = (batch: readonly Datum[], signal: AbortSignal) => Promise<void>

/** A request shorter than this is not worth compressing. */
const COMPRESSED_FROM_BYTES = 1_024

/** @throws LeaseholdError `CREDENTIALS_INVALID` where it is not there */
export async function loadCloudWatch(env: Env): Promise<typeof Sdk> {
  const found = await import('@aws-sdk/client-cloudwatch').catch(
    elsewhereOrFail('@aws-sdk/client-cloudwatch', env),
  )
  return found as typeof Sdk
}

export async function openCloudWatch(options: CloudWatchOptions, env: Env): Promise<Deliver> {
  const { namespace: Namespace, endpoint } = options
  const sdk = await loadCloudWatch(env)
  const region = options.region ?? regionOfEnv(env)
  const credentials = options.credentials ?? identityFrom(env)
  const client = new sdk.CloudWatchClient({
    // What fails is kept, and sent with what comes next.
    maxAttempts: 1,
    requestMinCompressionSizeBytes: COMPRESSED_FROM_BYTES,
    // A socket kept from one sending to the next would be a dead one after a freeze.
    requestHandler: { httpAgent: { keepAlive: false }, httpsAgent: { keepAlive: false } },
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  })
  return async (batch, signal) => {
    const MetricData = batch.map(({ name, unit, dimensions, epochMs, values, counts }) => ({
      MetricName: name,
      Unit: unit,
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value: String(Value) })),
      Timestamp: dateOf(epochMs),
      Values: [...values],
      Counts: [...counts],
    }))
    await client.send(new sdk.PutMetricDataCommand({ Namespace, MetricData }), { abortSignal: signal })
  }
}
