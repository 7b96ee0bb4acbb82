import { describe, expect, it } from 'vitest'

import { FakeCloudWatch } from '../../../../test/aws/cloudwatch.ts'
import { iamToken, secret, sidecarMetrics } from '../../src/aws/index.ts'
import { SidecarAsk } from '../../src/aws/sidecar-ask.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { ENV, setAwsScene } from './scene.ts'

const ON = { LEASEHOLD_SIDECAR: 'on', LEASEHOLD_SIDECAR_SOCKET: '/nowhere/at/all.sock' }
const OF = { Fleet: 'shop', Engine: 'postgresql', Target: 'db:5432' }

const never = (): boolean => false

describe('asking the sidecar', () => {
  it('asks nobody where none was asked for', async () => {
    const sidecar = new SidecarAsk(new ManualClock(), {})
    const asked = sidecar.get(() => Promise.resolve('an answer'), undefined, never)
    expect(await asked).toBeUndefined()
  })

  it('gives up on one that hangs after a second, and leaves it alone for a while', async () => {
    const clock = new ManualClock()
    const sidecar = new SidecarAsk(clock, ON)
    let askedCount = 0
    const ask = (): Promise<string> => {
      askedCount += 1
      return new Promise(() => {})
    }
    const first = sidecar.get(ask, undefined, never)
    await clock.advance(1_000)
    expect(await first).toBeUndefined()
    expect(await sidecar.get(ask, undefined, never)).toBeUndefined()
    expect(askedCount).toBe(1)
    await clock.advance(5_000)
    const second = sidecar.get(ask, undefined, never)
    await clock.advance(1_000)
    expect(await second).toBeUndefined()
    await clock.advance(5_000)
    expect(await sidecar.get(ask, undefined, never)).toBeUndefined()
    expect(askedCount).toBe(2)
  })

  it('waits for one that is starting still', async () => {
    const clock = new ManualClock()
    const sidecar = new SidecarAsk(clock, ON)
    let askedCount = 0
    const ask = (): Promise<string> => {
      askedCount += 1
      const refusal = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
      return askedCount < 4 ? Promise.reject(refusal) : Promise.resolve('an answer')
    }
    const answer = sidecar.get(ask, undefined, never)
    await clock.advance(100)
    expect(await answer).toBe('an answer')
  })

  it('passes on what nobody else would do better, and the end of the wait', async () => {
    const sidecar = new SidecarAsk(new ManualClock(), ON)
    const refusal = new Error('AccessDeniedException')
    const asked = sidecar.get(
      () => Promise.reject(refusal),
      undefined,
      () => true,
    )
    await expect(asked).rejects.toBe(refusal)
    const ended = AbortSignal.abort(new Error('too late'))
    const late = sidecar.get(() => Promise.reject(refusal), ended, never)
    await expect(late).rejects.toThrow('too late')
  })
})

describe('options for the sidecar', () => {
  it('hand no credentials over', () => {
    const credentials = { accessKeyId: 'AKID', secretAccessKey: 'never-shown' }
    expect(() => iamToken({ source: 'sidecar', credentials })).toThrow('cannot be handed to the sidecar')
    expect(() => secret('shop', { source: 'sidecar', credentials })).toThrow(
      'cannot be handed to the sidecar',
    )
    expect(() => sidecarMetrics({ namespace: 'Shop', credentials } as never)).toThrow(
      'unknown option `credentials`',
    )
  })

  it('hand over no region but that of an ARN', () => {
    const region = 'eu-west-1'
    expect(() => secret('shop', { source: 'sidecar', region })).toThrow('name the secret by its ARN')
    const arn = `arn:aws:secretsmanager:${region}:123456789012:secret:shop-AbCdEf`
    expect(() => secret(arn, { source: 'sidecar', region })).not.toThrow()
  })

  it.each([
    [() => secret('shop', { source: 'elsewhere' as never }), "'sidecar'"],
    [() => iamToken({ source: 'extension' as never }), "'sidecar'"],
    [() => sidecarMetrics({ namespace: 'AWS/Shop' }), 'invalid options of sidecarMetrics'],
  ])('are checked at once', (make, text) => {
    expect(make).toThrow(text)
  })
})

describe('metrics for a sidecar', () => {
  it('go to CloudWatch from here where none was asked for', () => {
    expect(sidecarMetrics({ namespace: 'Shop' }, { env: {} }).everyMs).toBe(60_000)
  })

  it('are kept within bounds while there is none, and what is too much is counted', async () => {
    const service = await FakeCloudWatch.start()
    const scene = setAwsScene({ ...ENV, ...ON })
    const sink = sidecarMetrics({ namespace: 'Shop', endpoint: service.endpoint }, scene)
    expect(sink.everyMs).toBe(1_000)
    for (let value = 0; value < 5_000; value += 1) sink.record('ConnectTime', value, 1, OF)
    expect(await sink.flush(false)).toBeUndefined()
    expect(service.arrivedCount).toBe(0)
    expect(await sink.flush(true)).toBeUndefined()
    const samples = service.data
      .filter(({ MetricName }) => MetricName === 'ConnectTime')
      .flatMap(({ Counts }) => Counts)
    expect(samples.reduce((sum, count) => sum + count, 0)).toBe(1_000)
    expect(service.sumOf('MetricsDropped')).toBe(4_000)
    await service.stop()
  })

  it('are kept within bounds where it never comes, though nothing flushes for long', async () => {
    const service = await FakeCloudWatch.start()
    const clock = new ManualClock()
    const sink = sidecarMetrics(
      { namespace: 'Shop', endpoint: service.endpoint },
      { clock, env: { ...ENV, ...ON } },
    )
    for (let value = 0; value < 8_000; value += 1) {
      sink.record('ConnectTime', value, 1, OF)
      if (value % 500 === 0) await clock.advance(1_000)
    }
    await clock.advance(1_000)
    const flushed = sink.flush(true)
    await clock.advance(1_000)
    await flushed
    const samples = service.data
      .filter(({ MetricName }) => MetricName === 'ConnectTime')
      .flatMap(({ Counts }) => Counts)
      .reduce((sum, count) => sum + count, 0)
    expect(samples).toBeLessThanOrEqual(3_000)
    expect(samples + service.sumOf('MetricsDropped')).toBe(8_000)
    await service.stop()
  })
})
