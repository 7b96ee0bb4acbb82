// A real pool's metrics through the fake and through the emulator, which gives them back as CloudWatch would.
import {
  CloudWatchClient,
  GetMetricStatisticsCommand,
  ListMetricsCommand,
  type Statistic,
} from '@aws-sdk/client-cloudwatch'
import { cloudWatch } from '@leasehold/core/aws'
import { createPool } from '@leasehold/pg-adapter'
import { type DatabaseServer, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { FakeCloudWatch } from './cloudwatch.ts'
import { type AwsEmulator, startEmulator } from './emulator.ts'
import { describeWithEmulator, IDENTITY, REGION } from './secret-stores.ts'

const NAMESPACE = 'Leasehold/Test'
const REQUESTS = 20

let server: DatabaseServer
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(async () => {
  await (server as DatabaseServer | undefined)?.dispose()
})

/** A pool that answers some requests and ends; what it measured is out when this resolves. */
async function runPool(endpoint: string, fleet: string): Promise<void> {
  const { host, port, database } = server
  const login = await server.createLogin()
  const pool = createPool({
    host,
    port,
    database,
    ...login,
    fleet,
    max: 1,
    metrics: cloudWatch({ namespace: NAMESPACE, endpoint, region: REGION, credentials: IDENTITY }),
  })
  for (let request = 0; request < REQUESTS; request += 1) await pool.query('select 1')
  // After the last response, and so not to be waited for by a request.
  await pool.leasehold.census()
  await pool.end()
}

describe('metrics of a pool, on the fake', () => {
  it('arrive compressed, in one request, when the pool ends', async () => {
    const fake = await FakeCloudWatch.start()
    try {
      await runPool(fake.endpoint, 'fake')
      expect(fake.requests).toHaveLength(1)
      expect(fake.requests[0]).toMatchObject({ namespace: NAMESPACE, isCompressed: true })
      expect(fake.sumOf('ConnectionsOpened')).toBe(1)
      expect(fake.sumOf('ConnectionsReused')).toBe(REQUESTS - 1)
      const names = fake.data.map(({ MetricName }) => MetricName)
      expect(names).toEqual(
        expect.arrayContaining(['Pressure', 'ConnectNetworkTime', 'ConnectLoginTime', 'CensusTime']),
      )
    } finally {
      await fake.stop()
    }
  })

  it('fail no request and hold up no end where nobody answers', async () => {
    const started = Date.now()
    await runPool('http://127.0.0.1:1', 'nobody')
    expect(Date.now() - started).toBeLessThan(5_000)
  })
})

describeWithEmulator('metrics of a pool, on the emulator', () => {
  let emulator: AwsEmulator
  let client: CloudWatchClient
  beforeAll(async () => {
    emulator = await startEmulator()
    const { endpoint } = emulator
    client = new CloudWatchClient({ endpoint, region: REGION, credentials: IDENTITY })
    await runPool(endpoint, 'shop')
  })
  afterAll(async () => {
    ;(client as CloudWatchClient | undefined)?.destroy()
    await (emulator as AwsEmulator | undefined)?.dispose()
  })

  const dimensions = (): { Name: string; Value: string }[] => [
    { Name: 'Fleet', Value: 'shop' },
    { Name: 'Engine', Value: 'postgresql' },
    { Name: 'Target', Value: `${server.host.toLowerCase()}:${server.port}` },
  ]

  const statistics = async (name: string): Promise<Partial<Record<Statistic, number>>> => {
    const { Datapoints = [] } = await client.send(
      new GetMetricStatisticsCommand({
        Namespace: NAMESPACE,
        MetricName: name,
        Dimensions: dimensions(),
        StartTime: new Date(Date.now() - 600_000),
        EndTime: new Date(Date.now() + 600_000),
        Period: 3_600,
        Statistics: ['Sum', 'SampleCount', 'Minimum', 'Maximum'],
      }),
    )
    const total = (member: 'Sum' | 'SampleCount'): number =>
      Datapoints.reduce((sum, point) => sum + (point[member] ?? 0), 0)
    return {
      Sum: total('Sum'),
      SampleCount: total('SampleCount'),
      Minimum: Math.min(...Datapoints.map(({ Minimum = Number.NaN }) => Minimum)),
      Maximum: Math.max(...Datapoints.map(({ Maximum = Number.NaN }) => Maximum)),
    }
  }

  it('are listed with their dimensions', async () => {
    const { Metrics = [] } = await client.send(new ListMetricsCommand({ Namespace: NAMESPACE }))
    const opened = Metrics.filter(({ MetricName }) => MetricName === 'ConnectionsOpened')
    expect(opened).toHaveLength(1)
    expect(opened[0]?.Dimensions?.toSorted(byName)).toEqual(dimensions().toSorted(byName))
  })

  it('come back as they were counted', async () => {
    expect(await statistics('ConnectionsOpened')).toMatchObject({ Sum: 1 })
    expect(await statistics('ConnectionsReused')).toMatchObject({ Sum: REQUESTS - 1 })
  })

  it('come back with their number of samples, so that percentiles are those of all requests', async () => {
    const acquired = await statistics('AcquireTime')
    expect(acquired).toMatchObject({ SampleCount: REQUESTS, Minimum: 0 })
    expect(acquired.Maximum).toBeGreaterThan(0)
    expect(acquired.Sum).toBeCloseTo(acquired.Maximum ?? Number.NaN, 5)
  })
})

function byName(left: { Name?: string | undefined }, right: { Name?: string | undefined }): number {
  return (left.Name ?? '').localeCompare(right.Name ?? '')
}
