import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { type AwsEmulator, findEmulator, startEmulator } from './emulator.ts'
import { askFor, describeWithEmulator, IDENTITY, REGION } from './secret-stores.ts'

describe('an AWS emulator that is not installed', () => {
  beforeEach(() => {
    vi.stubEnv('LEASEHOLD_AWS_EMULATOR_ROOT', join(tmpdir(), 'leasehold-no-such-folder'))
  })
  afterEach(() => void vi.unstubAllEnvs())

  it('is not found, does not start, and says what to do', async () => {
    expect(findEmulator()).toBeUndefined()
    await expect(startEmulator()).rejects.toThrow('not here: run test/aws/install-emulator.sh')
  })
})

describeWithEmulator('the AWS emulator', () => {
  const started: AwsEmulator[] = []
  const start = async (): Promise<AwsEmulator> => {
    const emulator = await startEmulator()
    started.push(emulator)
    return emulator
  }
  afterEach(async () => {
    for (const emulator of started.splice(0)) await emulator.dispose()
  })

  it('starts empty each time, beside others', async () => {
    const emulators = await Promise.all([start(), start()])
    const [first, second] = emulators.map(({ endpoint }) => endpoint)
    const input = { Name: 'shop', SecretString: 'p1', ClientRequestToken: crypto.randomUUID() }
    await askFor(first ?? '', 'CreateSecret', input)
    const read = { SecretId: 'shop' }
    expect(await askFor(first ?? '', 'GetSecretValue', read)).toMatchObject({ status: 200 })
    expect((await askFor(second ?? '', 'GetSecretValue', read)).body.__type).toBe('ResourceNotFoundException')
  })

  it('keeps metrics too', async () => {
    const { endpoint } = await start()
    const ask = async (parameters: Record<string, string>): Promise<string> => {
      const scope = `${IDENTITY.accessKeyId}/20260101/${REGION}/monitoring/aws4_request`
      const answer = await fetch(endpoint, {
        method: 'POST',
        headers: {
          authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
        },
        body: new URLSearchParams({ Version: '2010-08-01', Namespace: 'Shop', ...parameters }),
        signal: AbortSignal.timeout(10_000),
      })
      expect(answer.status).toBe(200)
      return answer.text()
    }
    await ask({
      Action: 'PutMetricData',
      'MetricData.member.1.MetricName': 'Opened',
      'MetricData.member.1.Value': '3',
      'MetricData.member.1.Unit': 'Count',
    })
    expect(await ask({ Action: 'ListMetrics' })).toContain('<MetricName>Opened</MetricName>')
    const aroundNow = (offsetMs: number): string => new Date(Date.now() + offsetMs).toISOString()
    const statistics = await ask({
      Action: 'GetMetricStatistics',
      MetricName: 'Opened',
      StartTime: aroundNow(-120_000),
      EndTime: aroundNow(120_000),
      Period: '60',
      'Statistics.member.1': 'Sum',
    })
    expect(statistics).toContain('<Sum>3.0</Sum>')
  })

  it('answers nobody once it is disposed of', async () => {
    const { endpoint, dispose } = await start()
    await dispose()
    await expect(fetch(endpoint)).rejects.toThrow('fetch failed')
  })
})
