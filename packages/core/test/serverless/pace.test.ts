import { describe, expect, it } from 'vitest'

import { type FailedAttempt, open, type OpenParts } from '../../src/open.ts'
import type { LeaseholdOptions } from '../../src/options/options.ts'
import { fakeDialect } from '../../src/testing/fake-dialect.ts'
import type { FakeErrorCode } from '../../src/testing/fake-errors.ts'
import { failure } from '../opening.ts'
import { type Scene, setScene } from '../scene.ts'

interface Paced extends Scene {
  readonly result: Promise<string>
  readonly attempts: readonly number[]
}

/** Opens, refused by these errors in turn, and then let in; the last one for ever where `stays` says so. */
function paced(
  errors: readonly FakeErrorCode[],
  pace: OpenParts['pace'],
  { stays = false, ...given }: LeaseholdOptions & { stays?: boolean } = {},
): Paced {
  const scene = setScene(given)
  const attempts: number[] = []
  const connect = async (): Promise<string> => {
    attempts.push(scene.clock.monotonicMs())
    const code = errors[attempts.length - 1] ?? (stays ? errors.at(-1) : undefined)
    if (code !== undefined) throw failure(code)
    return 'session'
  }
  const result = open({ dialect: fakeDialect, ...scene, pace }, connect)
  // Tests look at it when they come to it; until then it is not unhandled.
  result.catch(() => undefined)
  return { ...scene, result, attempts }
}

describe("a pace of the application's own", () => {
  it('hears of every attempt that failed, and what the policy would wait', async () => {
    const heard: FailedAttempt[] = []
    const { result, clock } = paced(['FAKE_NO_SLOT', 'FAKE_NO_SLOT'], (failed) => {
      heard.push(failed)
      return failed.delayMs
    })
    await clock.advance(1_000)
    await expect(result).resolves.toBe('session')
    expect(heard).toMatchObject([{ attempts: 1 }, { attempts: 2 }])
    expect(heard.map(({ delayMs }) => typeof delayMs)).toEqual(['number', 'number'])
  })

  it('says when the next attempt is made', async () => {
    const { result, attempts, clock } = paced(['FAKE_NO_SLOT'], () => 7)
    await clock.advance(6)
    expect(attempts).toHaveLength(1)
    await clock.advance(1)
    await expect(result).resolves.toBe('session')
  })

  it('gives up where it says so', async () => {
    const pace: OpenParts['pace'] = ({ attempts, delayMs }) => (attempts > 2 ? undefined : delayMs)
    const { result, attempts, clock } = paced(['FAKE_NO_SLOT'], pace, { stays: true })
    await clock.advance(10_000)
    await expect(result).rejects.toMatchObject({ code: 'FAKE_NO_SLOT' })
    expect(attempts).toHaveLength(3)
  })

  it('does not outlast the deadline', async () => {
    const { result, clock } = paced(['FAKE_NO_SLOT'], () => 60_000, { stays: true, acquireTimeoutMs: 500 })
    await clock.advance(501)
    await expect(result).rejects.toMatchObject({ code: 'FAKE_NO_SLOT' })
  })

  it('does not try again where waiting does not help', async () => {
    const { result, attempts } = paced(['FAKE_WRONG_PASSWORD'], () => 1)
    await expect(result).rejects.toMatchObject({ code: 'FAKE_WRONG_PASSWORD' })
    expect(attempts).toHaveLength(1)
  })
})
