import { describe, expect, it, vi } from 'vitest'

import { lambdaExtension } from '../../src/lambda/index.ts'
import { processWide } from '../../src/process-wide.ts'
import { unhandledDuring } from '../scene.ts'

describe('lambdaExtension', () => {
  it('does nothing and says nothing outside Lambda, however often it is called', async () => {
    const lines: string[] = []
    const logger = { warn: (line: string) => lines.push(line), error: (line: string) => lines.push(line) }
    const listeners = process.listenerCount('SIGTERM')
    const off = { registered: false, afterResponse: false, deadlines: false, problem: 'this is not Lambda' }
    expect(await lambdaExtension({ logger })).toEqual(off)
    expect(await lambdaExtension({ afterResponse: true })).toEqual(off)
    expect(lines).toEqual([])
    expect(process.listenerCount('SIGTERM')).toBe(listeners)
  })

  it('survives a logger that rejects: what it says later reaches nobody', async () => {
    vi.stubEnv('AWS_LAMBDA_RUNTIME_API', '127.0.0.1:1')
    vi.stubEnv('AWS_LAMBDA_MAX_CONCURRENCY', '2')
    const shared = processWide()
    const { extension } = shared
    shared.extension = undefined
    let saidCount = 0
    const reject = (): unknown => {
      saidCount += 1
      return Promise.reject(new Error('disk full'))
    }
    try {
      const unhandled = await unhandledDuring(() =>
        lambdaExtension({ logger: { warn: reject, error: reject } }),
      )
      expect([saidCount, unhandled]).toEqual([1, []])
    } finally {
      shared.extension = extension
      vi.unstubAllEnvs()
    }
  })

  it('says all that is wrong with its options at once', () => {
    const wrong = { afterResponse: 1, afterResponseMs: 2_000, logger: {}, budget: 20 }
    const more = { preloaded: 'yes', invocations: 'all' }
    expect(() => lambdaExtension({ ...wrong, ...more } as object)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTIONS',
        message: [
          'invalid options:',
          ' - unknown option `budget`',
          ' - `afterResponse` must be true or false',
          ' - `afterResponseMs` must be a whole number of milliseconds from 0 to 1000',
          ' - `preloaded` must be true or false',
          ' - `invocations` must be an object with `begun` and `over`',
          ' - `logger` must have the methods `warn` and `error`',
        ].join('\n'),
      }),
    )
  })
})
