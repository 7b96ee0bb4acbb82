import { afterEach, describe, expect, it, vi } from 'vitest'

import { consoleLogger, isLogger, LimitedLog } from '../src/log.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { ListeningLogger, unhandledDuring } from './scene.ts'

describe('the log', () => {
  const listen = (): { clock: ManualClock; logger: ListeningLogger; log: LimitedLog } => {
    const clock = new ManualClock()
    const logger = new ListeningLogger()
    return { clock, logger, log: new LimitedLog(logger, clock) }
  }

  it('says a cause at most three times a minute', async () => {
    const { clock, logger, log } = listen()
    for (let line = 0; line < 10; line += 1) log.error('saturated', `no slot ${line}`)
    expect(logger.errors).toEqual(['leasehold: no slot 0', 'leasehold: no slot 1', 'leasehold: no slot 2'])
    await clock.advance(59_999)
    log.error('saturated', 'still silent')
    expect(logger.errors).toHaveLength(3)
    await clock.advance(1)
    log.error('saturated', 'again')
    expect(logger.errors.at(-1)).toBe('leasehold: again')
  })

  it('limits each cause by itself', () => {
    const { logger, log } = listen()
    for (let line = 0; line < 5; line += 1) log.error('saturated', 'no slot')
    log.error('starting', 'not up yet')
    expect(logger.errors.at(-1)).toBe('leasehold: not up yet')
  })

  it('speaks again after a freeze that the monotonic clock did not see', () => {
    const { clock, logger, log } = listen()
    for (let line = 0; line < 3; line += 1) log.error('saturated', 'no slot')
    clock.freeze(60_000, 0)
    log.error('saturated', 'no slot')
    expect(logger.errors).toHaveLength(4)
  })

  it('speaks again after a minute though the epoch clock was set back', async () => {
    const { clock, logger, log } = listen()
    for (let line = 0; line < 3; line += 1) log.error('saturated', 'no slot')
    clock.setEpochBy(-3_600_000)
    await clock.advance(60_000)
    log.error('saturated', 'no slot')
    expect(logger.errors).toHaveLength(4)
  })

  it('says once what is to be said once, however long ago that was', async () => {
    const { clock, logger, log } = listen()
    log.once('lease-refused', 'no leases here')
    await clock.advance(600_000)
    log.once('lease-refused', 'no leases here')
    expect(logger.warnings).toEqual(['leasehold: no leases here'])
  })

  it('says in members what caused the line, where, and what its caller adds', () => {
    const warn = vi.fn<(...args: unknown[]) => void>()
    const error = vi.fn<(...args: unknown[]) => void>()
    const log = new LimitedLog({ warn, error }, new ManualClock(), () => ({ fleet: 'shop' }))
    log.once('a', 'once')
    log.error('b', 'failed', { attempts: 2 })
    expect(warn.mock.calls).toEqual([['leasehold: once', { cause: 'a', fleet: 'shop' }]])
    expect(error.mock.calls).toEqual([['leasehold: failed', { cause: 'b', fleet: 'shop', attempts: 2 }]])
  })

  it('survives a logger that throws: a line is not worth an error', () => {
    const broken = {
      warn: () => {
        throw new Error('disk full')
      },
      error: () => {
        throw new Error('disk full')
      },
    }
    const log = new LimitedLog(broken, new ManualClock())
    expect(() => {
      log.once('a', 'once')
      log.error('b', 'failed')
    }).not.toThrow()
  })

  it('survives a logger that rejects: what it says later reaches nobody', async () => {
    const reject = (): unknown => Promise.reject(new Error('disk full'))
    const log = new LimitedLog({ warn: reject, error: reject }, new ManualClock())
    const unhandled = await unhandledDuring(() => log.error('b', 'failed'))
    expect(unhandled).toEqual([])
  })
})

describe('the default logger', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  })

  it('is the console, one line of text and JSON', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined)
    const error = vi.spyOn(console, 'error').mockReturnValue(undefined)
    consoleLogger.warn('one')
    consoleLogger.warn('two', { attempts: 2 })
    consoleLogger.error('three')
    consoleLogger.error('four', { attempts: 4 })
    expect(warn.mock.calls).toEqual([['one'], ['two {"attempts":2}']])
    expect(error.mock.calls).toEqual([['three'], ['four {"attempts":4}']])
  })

  it('leaves the JSON to Lambda where that makes it', () => {
    vi.stubEnv('AWS_LAMBDA_LOG_FORMAT', 'JSON')
    const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined)
    consoleLogger.warn('two', { attempts: 2 })
    expect(warn.mock.calls).toEqual([[{ message: 'two', attempts: 2 }]])
  })
})

describe('a logger', () => {
  it.each([
    [console, true],
    [new ListeningLogger(), true],
    [{ warn: () => undefined }, false],
    [{ warn: 'x', error: 'y' }, false],
    [null, false],
    ['console', false],
  ])('is an object that can warn and say errors', (value, expected) => {
    expect(isLogger(value)).toBe(expected)
  })
})
