import { inspect } from 'node:util'

import { describe, expect, it } from 'vitest'

import { cloudWatch } from '../../src/aws/index.ts'
import { METRICS, type MetricName } from '../../src/metrics.ts'
import { SHOP, sinkScenes } from './metrics-scene.ts'
import { ENV } from './scene.ts'

const scenes = sinkScenes()

const NAMES = Object.keys(METRICS) as MetricName[]

describe('metrics for CloudWatch', () => {
  it('arrive with unit, dimensions, time, values and counts', async () => {
    const { clock, sink } = scenes.open()
    const epochMs = clock.epochMs()
    sink.record('ConnectTime', 12.5, 1, SHOP)
    sink.record('ConnectTime', 12.5, 1, SHOP)
    sink.record('AcquireTime', 0, 500, SHOP)
    sink.record('ConnectionsOpened', 2, 1, SHOP)
    sink.record('ConnectionsOpened', 3, 1, SHOP)
    await clock.advance(5_000)
    expect(await sink.flush(false)).toBeUndefined()
    const common = {
      Dimensions: [
        { Name: 'Fleet', Value: 'shop' },
        { Name: 'Engine', Value: 'postgresql' },
        { Name: 'Target', Value: 'db.example:5432' },
      ],
      Timestamp: epochMs / 1_000,
    }
    const [request] = scenes.service.requests
    expect(request?.namespace).toBe('Shop')
    expect(request?.data).toEqual([
      { ...common, MetricName: 'ConnectTime', Unit: 'Milliseconds', Values: [12.5], Counts: [2] },
      { ...common, MetricName: 'AcquireTime', Unit: 'Milliseconds', Values: [0], Counts: [500] },
      { ...common, MetricName: 'ConnectionsOpened', Unit: 'Count', Values: [5], Counts: [1] },
    ])
  })

  it('are compressed, and a few bytes are not', async () => {
    const { sink } = scenes.open()
    for (const name of NAMES) for (let value = 0; value < 20; value += 1) sink.record(name, value, 1, SHOP)
    await sink.flush(false)
    sink.record('ConnectTime', 1, 1, SHOP)
    await sink.flush(false)
    const [many, few] = scenes.service.requests
    expect(many?.isCompressed).toBe(true)
    expect(many?.bytes.sent).toBeLessThan((many?.bytes.plain ?? 0) / 2)
    expect(few?.isCompressed).toBe(false)
  })

  it('are not sent where there are none', async () => {
    const { sink } = scenes.open()
    await sink.flush(true)
    expect(scenes.service.arrivedCount).toBe(0)
  })

  it('keep within the quotas, however many there are', async () => {
    const { clock, sink } = scenes.open()
    // 40 intervals, 25 metrics with as many values as can be: the fake refuses what is beyond a quota.
    for (let interval = 0; interval < 40; interval += 1) {
      for (const name of NAMES.slice(0, 25)) {
        for (let place = 0; place < 200; place += 1) sink.record(name, 1.07 ** place, 1, SHOP)
      }
      await clock.advance(60_000)
    }
    expect(await sink.flush(false)).toBeUndefined()
    expect(scenes.service.requests.length).toBeGreaterThan(5)
    expect(scenes.service.data).toHaveLength(1_000)
  })

  it('are only those that are wanted, and what was dropped', async () => {
    const { sink } = scenes.open({ only: ['Pressure'] })
    for (const name of NAMES) sink.record(name, 1, 1, SHOP)
    await sink.flush(false)
    expect(scenes.service.data.map(({ MetricName }) => MetricName)).toEqual(['Pressure', 'MetricsDropped'])
  })

  it('have the time they were measured at, though the environment was frozen before they were sent', async () => {
    const { clock, sink } = scenes.open()
    const beforeMs = clock.epochMs()
    sink.record('ConnectTime', 1, 1, SHOP)
    clock.freeze(3_600_000, 0)
    sink.record('ConnectTime', 2, 1, SHOP)
    await sink.flush(false)
    expect(
      scenes.service.data.map(({ Timestamp, Values }) => [Timestamp * 1_000 - beforeMs, Values]),
    ).toEqual([
      [0, [1]],
      [3_600_000, [2]],
    ])
  })
})

describe('metrics that CloudWatch does not take', () => {
  it.each([
    ['throttled', 'ThrottlingException'],
    ['internal', 'InternalServiceFault'],
    ['cut', 'ECONNRESET'],
    ['denied', 'AccessDeniedException'],
  ] as const)('because of %s are kept, and sent with the next', async (mishap, name) => {
    const { clock, sink } = scenes.open()
    scenes.service.next(mishap)
    sink.record('ConnectionsOpened', 1, 1, SHOP)
    expect(await sink.flush(false)).toContain(`could not be sent (${name})`)
    await clock.advance(60_000)
    sink.record('ConnectionsOpened', 2, 1, SHOP)
    expect(await sink.flush(false)).toBeUndefined()
    expect(scenes.service.data.map(({ Values }) => Values)).toEqual([[1], [2]])
    expect(scenes.service.sumOf('MetricsDropped')).toBe(0)
  })

  it('are not sent again at once: the pause doubles, and the end does not wait for it', async () => {
    const { clock, sink } = scenes.open()
    scenes.service.always('throttled')
    sink.record('ConnectionsOpened', 1, 1, SHOP)
    await sink.flush(false)
    for (const [pauseMs, arrivedCount] of [
      [9_990, 1],
      [20, 2],
      [19_980, 2],
      [20, 3],
    ] as const) {
      await clock.advance(pauseMs)
      await sink.flush(false)
      expect(scenes.service.arrivedCount).toBe(arrivedCount)
    }
    await sink.flush(true)
    expect(scenes.service.arrivedCount).toBe(4)
  })

  it('for what they are are dropped, counted, and do not hold up the rest', async () => {
    const { sink } = scenes.open()
    scenes.service.next('invalid')
    sink.record('ConnectionsOpened', 1, 1, SHOP)
    sink.record('ConnectTime', 1, 1, SHOP)
    expect(await sink.flush(false)).toContain('does not take 2 metrics (InvalidParameterValueException)')
    await sink.flush(false)
    expect(scenes.service.data).toMatchObject([{ MetricName: 'MetricsDropped', Values: [2] }])
  })

  it('cost no more memory than 1 000 data points, and the oldest go first', async () => {
    const { clock, sink } = scenes.open()
    scenes.service.always('denied')
    for (let interval = 0; interval < 1_200; interval += 1) {
      sink.record('ConnectionsOpened', interval, 1, SHOP)
      await clock.advance(60_000)
      if (interval % 100 === 0) await sink.flush(false)
    }
    scenes.service.always(undefined)
    expect(await sink.flush(true)).toBeUndefined()
    await sink.flush(true)
    const { data } = scenes.service
    const opened = data.filter(({ MetricName }) => MetricName === 'ConnectionsOpened')
    expect(opened.at(-1)?.Values).toEqual([1_199])
    expect(opened.length + scenes.service.sumOf('MetricsDropped')).toBeGreaterThanOrEqual(1_200)
    expect(data.length).toBeLessThanOrEqual(1_002)
  })

  it('because a sink has too many pools are dropped and counted', async () => {
    const { sink } = scenes.open()
    const pools = Math.ceil(1_300 / NAMES.length)
    for (let pool = 0; pool < pools; pool += 1) {
      for (const name of NAMES) {
        if (name !== 'MetricsDropped') sink.record(name, 1, 1, { ...SHOP, Fleet: `fleet ${pool}` })
      }
    }
    expect(await sink.flush(true)).toBeUndefined()
    await sink.flush(true)
    const { data } = scenes.service
    const kept = data.filter(({ MetricName }) => MetricName !== 'MetricsDropped')
    expect(kept.length).toBeLessThanOrEqual(1_000)
    expect(kept.length + scenes.service.sumOf('MetricsDropped')).toBe(pools * (NAMES.length - 1))
  })

  it('within the limit are kept: nobody waits for ever', async () => {
    const { clock, sink } = scenes.open({ limitMs: 700 })
    scenes.service.next('slow')
    sink.record('ConnectionsOpened', 1, 1, SHOP)
    const flushing = sink.flush(false)
    await scenes.service.arrived(1)
    await clock.advance(700)
    expect(await flushing).toContain('could not be sent within 700 ms')
    await sink.flush(true)
    expect(scenes.service.sumOf('ConnectionsOpened')).toBe(1)
  })

  it('name no secret in what is said of it', async () => {
    const { sink } = scenes.open()
    scenes.service.next('denied')
    sink.record('ConnectionsOpened', 1, 1, SHOP)
    const said = `${await sink.flush(false)}${inspect(sink, { depth: 9, showHidden: true })}`
    expect(said).not.toContain(ENV.AWS_SECRET_ACCESS_KEY)
    expect(said).not.toContain(ENV.AWS_SESSION_TOKEN)
  })
})

describe('flushing', () => {
  it('is one at a time; the last one sends what came meanwhile', async () => {
    const { sink } = scenes.open()
    sink.record('ConnectionsOpened', 1, 1, SHOP)
    const first = sink.flush(false)
    sink.record('ConnectionsOpened', 2, 1, SHOP)
    await Promise.all([first, sink.flush(false), sink.flush(true)])
    expect(scenes.service.data.map(({ Values }) => Values)).toEqual([[1], [2]])
  })

  it('at the end does not wait for one that gets no answer, and sends that again', async () => {
    const { clock, sink } = scenes.open({ limitMs: 1_400 })
    scenes.service.next('slow')
    sink.record('ConnectionsOpened', 1, 1, SHOP)
    const first = sink.flush(false)
    await scenes.service.arrived(1)
    sink.record('ConnectionsOpened', 2, 1, SHOP)
    const last = sink.flush(true)
    await clock.advance(300)
    await scenes.service.arrived(2)
    expect(scenes.service.data.map(({ Values }) => Values)).toEqual([[2]])
    await clock.advance(1_100)
    await Promise.all([first, last])
    expect(scenes.service.data.map(({ Values }) => Values)).toEqual([[2], [1]])
  })
})

describe('options of a sink', () => {
  it('are checked in one pass', () => {
    const wrong = { namespace: 'AWS/RDS', everyMs: 10, only: ['Presure'], every: 1 } as never
    expect(() => cloudWatch(wrong)).toThrow(
      [
        'invalid options of cloudWatch:',
        '`namespace` must be 1 to 255 letters, digits or any of "_.-/#: ", and not begin with "AWS/" or ":"',
        "`only` has 1 names that are not metrics'",
        '`everyMs` must be a whole number of milliseconds from 1000 to 900000',
        'unknown option `every` (did you mean `everyMs`?)',
      ].join('\n - '),
    )
    expect(() => cloudWatch({ namespace: ':Shop' })).toThrow('not begin with "AWS/" or ":"')
    expect(() => cloudWatch({} as never)).toThrow('`namespace` is missing')
    expect(() => cloudWatch(undefined as never)).toThrow('the options must be an object')
  })
})
