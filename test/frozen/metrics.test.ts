// Metrics in the log of a function on AWS's own runtime client, which is frozen between requests.
import { setTimeout as pause } from 'node:timers/promises'

import { deployFunction } from '@leasehold/lambda-emulator'
import { type DatabaseServer, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let server: DatabaseServer
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(async () => {
  await (server as DatabaseServer | undefined)?.dispose()
})

interface Line {
  readonly level?: string
  readonly _aws?: { readonly CloudWatchMetrics: readonly { readonly Namespace: string }[] }
  readonly ConnectionsOpened?: number
  readonly ConnectionsReused?: number
}

/** The lines of its log that are metrics, after a second and a half of requests. */
async function metricLines(environment: Record<string, string>): Promise<Line[]> {
  const { host, port, database, login } = server
  const lambda = deployFunction({
    name: 'measured',
    taskRoot: import.meta.dirname,
    handler: 'functions/measured.handler',
    environment: { FLEET_TARGET: JSON.stringify({ host, port, database, ...login }), ...environment },
    nodeArgs: ['--conditions=@leasehold/source'],
  })
  try {
    for (let request = 0; request < 12; request += 1) {
      const { error } = await lambda.invoke({}, { settle: true })
      expect(error).toBeUndefined()
      await pause(200)
    }
    const log = lambda.environments[0]?.log ?? []
    // A line that is metrics is metrics from its beginning to its end.
    return log.filter((line) => line.includes('CloudWatchMetrics')).map((line) => JSON.parse(line) as Line)
  } finally {
    await lambda.dispose()
  }
}

describe('metrics in the log of a frozen function', () => {
  it.each([
    ['text', { AWS_LAMBDA_LOG_FORMAT: 'Text' }, undefined],
    ['JSON', { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: 'WARN' }, 'WARN'],
  ])('are whole lines of their own in the log format %s', async (_format, environment, level) => {
    const lines = await metricLines(environment)
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) {
      expect(line._aws?.CloudWatchMetrics[0]?.Namespace).toBe('Shop')
      expect(line.level).toBe(level)
    }
    const sumOf = (name: 'ConnectionsOpened' | 'ConnectionsReused'): number =>
      lines.reduce((sum, { [name]: count = 0 }) => sum + count, 0)
    expect(sumOf('ConnectionsOpened')).toBe(1)
    expect(sumOf('ConnectionsReused')).toBeGreaterThan(3)
  })
})
