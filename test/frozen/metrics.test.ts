// Metrics in the log of a function on AWS's own runtime client, which is frozen between requests.
import { setTimeout as pause } from 'node:timers/promises'

import { deployFunction } from '@leasehold/lambda-emulator'
import { type DatabaseServer, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type EmfDocument, readEmf } from '../../packages/core/test/aws/emf-document.ts'

let server: DatabaseServer
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(async () => {
  await (server as DatabaseServer | undefined)?.dispose()
})

interface Logged {
  /** Lines that are metrics, each valid by the specification, from its beginning to its end. */
  readonly metrics: readonly EmfDocument[]
  /** Lines that the function wrote to the console. */
  readonly own: readonly string[]
}

/** What is in its log after a second and a half of requests. */
async function logged(environment: Record<string, string>): Promise<Logged> {
  const { host, port, database, login } = server
  const lambda = deployFunction({
    name: 'measured',
    taskRoot: import.meta.dirname,
    handler: 'functions/measured.handler',
    environment: { FLEET_TARGET: JSON.stringify({ host, port, database, ...login }), ...environment },
    nodeArgs: ['--conditions=@leasehold/source'],
  })
  // What another client makes of the JSON log format would prove nothing.
  expect(lambda.runtime).toBe('aws')
  try {
    for (let request = 0; request < 12; request += 1) {
      const { error } = await lambda.invoke({}, { settle: true })
      expect(error).toBeUndefined()
      await pause(200)
    }
    const log = lambda.environments[0]?.log ?? []
    return {
      metrics: log.filter((line) => line.includes('CloudWatchMetrics')).map(readEmf),
      own: log.filter((line) => line.includes('a line of the function')),
    }
  } finally {
    await lambda.dispose()
  }
}

describe('metrics in the log of a frozen function', () => {
  it.each([
    ['text', { AWS_LAMBDA_LOG_FORMAT: 'Text' }, undefined],
    ['JSON', { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: 'WARN' }, 'WARN'],
  ])('are whole lines of their own in the log format %s', async (_format, environment, level) => {
    const { metrics, own } = await logged(environment)
    expect(metrics.length).toBeGreaterThan(0)
    for (const line of metrics) {
      expect(line._aws.CloudWatchMetrics[0]?.Namespace).toBe('Shop')
      expect(line['level']).toBe(level)
    }
    // The client has wrapped what went through the console, and so the format is in force.
    const wrapped = own.map((line) => line.startsWith('{') && 'requestId' in (JSON.parse(line) as object))
    expect(new Set(wrapped)).toEqual(new Set([level !== undefined]))
    const sumOf = (name: 'ConnectionsOpened' | 'ConnectionsReused'): number =>
      metrics.reduce((sum, { [name]: count = 0 }) => sum + Number(count), 0)
    expect(sumOf('ConnectionsOpened')).toBe(1)
    expect(sumOf('ConnectionsReused')).toBeGreaterThan(3)
  })
})
