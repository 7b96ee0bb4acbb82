import { Writable } from 'node:stream'

import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'

import { emf, type EmfOptions } from '../../src/aws/index.ts'
import { METRICS, type MetricName, type MetricsSink } from '../../src/metrics.ts'
import { unhandledDuring } from '../scene.ts'
import { type EmfDocument, readEmf } from './emf-document.ts'
import { SHOP } from './metrics-scene.ts'
import { type AwsScene, setAwsScene } from './scene.ts'

const NAMES = Object.keys(METRICS) as MetricName[]

interface EmfScene extends AwsScene {
  readonly sink: MetricsSink
  readonly lines: string[]
  /** What was written, each line read and held against the specification. */
  documents(): EmfDocument[]
}

function open(options: Partial<EmfOptions> = {}, env: Record<string, string> = {}): EmfScene {
  const scene = setAwsScene(env)
  const lines: string[] = []
  const sink = emf({ namespace: 'Shop', write: (line) => lines.push(line), ...options }, scene)
  return { ...scene, sink, lines, documents: () => lines.map(readEmf) }
}

describe('metrics in the embedded format', () => {
  it('are one valid line: dimensions, units, one value or a list', async () => {
    const { clock, documents, sink } = open()
    const epochMs = clock.epochMs()
    sink.record('ConnectTime', 80, 1, SHOP)
    sink.record('ConnectTime', 12.5, 2, SHOP)
    sink.record('ConnectionsOpened', 2, 1, SHOP)
    sink.record('ConnectionsOpened', 3, 1, SHOP)
    await clock.advance(5_000)
    expect(await sink.flush(false)).toBeUndefined()
    expect(documents()).toEqual([
      {
        _aws: {
          Timestamp: epochMs,
          CloudWatchMetrics: [
            {
              Namespace: 'Shop',
              Dimensions: [['Fleet', 'Engine', 'Target']],
              Metrics: [
                { Name: 'ConnectTime', Unit: 'Milliseconds' },
                { Name: 'ConnectionsOpened', Unit: 'Count' },
              ],
            },
          ],
        },
        ...SHOP,
        ConnectTime: [12.5, 12.5, 80],
        ConnectionsOpened: 5,
      },
    ])
  })

  it('are valid whatever was measured', () => {
    const measured = fc.record({
      name: fc.constantFrom(...NAMES),
      value: fc.double({ min: 0, max: 1e9, noNaN: true }),
      count: fc.integer({ min: 1, max: 10_000 }),
      Fleet: fc.constantFrom('shop', 'till'),
      waitMs: fc.constantFrom(0, 0, 0, 30_000),
    })
    return fc.assert(
      fc.asyncProperty(fc.array(measured, { minLength: 1, maxLength: 300, size: 'max' }), async (given) => {
        const { clock, documents, sink } = open()
        for (const { name, value, count, Fleet, waitMs } of given) {
          clock.freeze(waitMs)
          sink.record(name, value, count, { ...SHOP, Fleet })
        }
        await sink.flush(true)
        expect(documents().length).toBeGreaterThan(0)
      }),
      { numRuns: 40 },
    )
  })

  it('stand for all measurements where there are more than a list takes, slowest included', async () => {
    const { documents, sink } = open()
    sink.record('AcquireTime', 0, 9_000, SHOP)
    sink.record('AcquireTime', 40, 999, SHOP)
    sink.record('AcquireTime', 700, 1, SHOP)
    await sink.flush(false)
    const values = documents()[0]?.['AcquireTime'] as number[]
    expect(values).toHaveLength(100)
    expect(values.filter((value) => value === 0)).toHaveLength(90)
    expect(values.at(-1)).toBe(700)
  })

  it('have a line for each fleet, and for each stretch of time', async () => {
    const { clock, documents, sink } = open()
    sink.record('ConnectTime', 1, 1, SHOP)
    sink.record('ConnectTime', 2, 1, { ...SHOP, Fleet: 'till' })
    clock.freeze(60_000)
    sink.record('ConnectTime', 3, 1, SHOP)
    await sink.flush(false)
    expect(documents().map(({ Fleet, ConnectTime }) => [Fleet, ConnectTime])).toEqual([
      ['shop', 1],
      ['till', 2],
      ['shop', 3],
    ])
  })

  it('carry the level that Lambda filters by in its JSON log format, and no other member', async () => {
    const { lines, documents, sink } = open(
      {},
      { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: 'ERROR' },
    )
    sink.record('ConnectTime', 1, 1, SHOP)
    await sink.flush(false)
    expect(lines[0]?.slice(0, 17)).toBe('{"level":"ERROR",')
    expect(Object.keys(documents()[0] ?? {})).toEqual([
      'level',
      'timestamp',
      '_aws',
      'Fleet',
      'Engine',
      'Target',
      'ConnectTime',
    ])
  })

  it('go to standard output past the console, in one write', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    try {
      const sink = emf({ namespace: 'Shop' }, setAwsScene())
      sink.record('ConnectTime', 1, 1, SHOP)
      await sink.flush(false)
      expect(write.mock.calls).toEqual([[expect.stringMatching(/^\{"_aws":.*\}\n$/), expect.any(Function)]])
    } finally {
      write.mockRestore()
    }
  })

  it('do not end the process where standard output is closed', async () => {
    const closed = new Writable({
      write: (_chunk, _encoding, done) => done(new Error('EPIPE')),
    })
    const stdout = vi.spyOn(process, 'stdout', 'get').mockReturnValue(closed as typeof process.stdout)
    const uncaught: unknown[] = []
    const hear = (error: unknown): void => void uncaught.push(error)
    process.on('uncaughtException', hear)
    try {
      const sink = emf({ namespace: 'Shop' }, setAwsScene())
      sink.record('ConnectTime', 1, 1, SHOP)
      await sink.flush(false)
      await new Promise((resolve) => setImmediate(resolve))
      sink.record('ConnectTime', 1, 1, SHOP)
      await sink.flush(false)
      await new Promise((resolve) => setImmediate(resolve))
      expect(closed.destroyed).toBe(true)
      expect(uncaught).toEqual([])
    } finally {
      process.off('uncaughtException', hear)
      stdout.mockRestore()
    }
  })

  it('that an asynchronous writer rejects are dropped and counted', async () => {
    let isBroken = true
    const lines: string[] = []
    const write = (line: string): unknown =>
      isBroken ? Promise.reject(new Error('EPIPE')) : lines.push(line)
    const { sink } = open({ write })
    sink.record('ConnectTime', 1, 1, SHOP)
    sink.record('PoolWaitTime', 1, 1, SHOP)
    expect(await unhandledDuring(() => sink.flush(false))).toEqual([])
    // What tells of them is lost too, and what it told is not.
    expect(await unhandledDuring(() => sink.flush(false))).toEqual([])
    isBroken = false
    await sink.flush(false)
    expect(readEmf(lines[0] ?? '')['MetricsDropped']).toBe(2)
  })

  it('are dropped where CloudWatch would not take their time, and take nothing along', async () => {
    const { clock, documents, sink } = open()
    sink.record('ConnectTime', 1, 1, SHOP)
    clock.freeze(14 * 86_400_000, 0)
    sink.record('ConnectTime', 2, 1, SHOP)
    await sink.flush(false)
    await sink.flush(false)
    expect(documents().map(({ ConnectTime, MetricsDropped }) => [ConnectTime, MetricsDropped])).toEqual([
      [2, undefined],
      [undefined, 1],
    ])
  })

  it('are no number that CloudWatch would not take', async () => {
    const { documents, sink } = open()
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1, 1e300]) {
      sink.record('TokensRenewed', value, 1, SHOP)
      sink.record('TokenAge', value, 1, SHOP)
    }
    await sink.flush(false)
    expect(documents()).toEqual([])
  })

  it('are dropped and counted where nothing can be written', async () => {
    const lines: string[] = []
    let isBroken = true
    const write = (line: string): void => {
      if (isBroken) throw new Error('EPIPE')
      lines.push(line)
    }
    const { sink } = open({ write })
    sink.record('ConnectTime', 1, 1, SHOP)
    expect(await sink.flush(false)).toContain('could not be written')
    isBroken = false
    await sink.flush(false)
    expect(readEmf(lines[0] ?? '')['MetricsDropped']).toBe(1)
  })

  it('are off for wrong options', () => {
    expect(() => emf({ namespace: '', write: 1 } as never)).toThrow(
      [
        'invalid options of emf:',
        '`namespace` must be a string that is not empty',
        '`write` must be a function',
      ].join('\n - '),
    )
  })
})
