/** Opens with a `connect` that the test writes attempt by attempt; for tests of `open`. */

import { formatLabel } from '../src/label.ts'
import { type Attempt, open } from '../src/open.ts'
import type { LeaseholdOptions } from '../src/options/options.ts'
import { fakeDialect } from '../src/testing/fake-dialect.ts'
import { type FakeErrorCode, FakeServerError } from '../src/testing/fake-errors.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { type Scene, setScene } from './scene.ts'

export const failure = (code: FakeErrorCode): FakeServerError => new FakeServerError(code, 'password=hunter2')

/** A label of a newcomer that was let in at the manual clock's start. */
export const waitedHalfASecond: string = formatLabel({
  fleet: 'leasehold',
  name: 'checkout',
  waitedMs: 500,
  openedEpochMs: new ManualClock().epochMs(),
})

export interface Opening<T> extends Scene {
  readonly attempts: Attempt[]
  readonly result: Promise<T>
}

/** Opens with a `connect` that answers attempt by attempt, the last answer for ever after. */
export function opening<T>(
  given: LeaseholdOptions,
  answers: readonly ((attempt: Attempt, scene: Scene) => T | Promise<T>)[],
  signal?: AbortSignal,
  prepare: (scene: Scene) => void = () => undefined,
): Opening<T> {
  const scene = setScene(given)
  prepare(scene)
  const attempts: Attempt[] = []
  const connect = async (attempt: Attempt): Promise<T> => {
    attempts.push(attempt)
    const answer = answers[Math.min(attempts.length, answers.length) - 1]
    if (answer === undefined) throw new Error('the test gave no answer')
    return answer(attempt, scene)
  }
  const result = open({ dialect: fakeDialect, ...scene }, connect, signal)
  // Tests look at it when they come to it; until then it is not unhandled.
  result.catch(() => undefined)
  return { ...scene, attempts, result }
}

export const refuse = (code: FakeErrorCode) => (): never => {
  throw failure(code)
}
export const refuseAfter =
  (durationMs: number, code: FakeErrorCode) =>
  async (_attempt: Attempt, scene: Scene): Promise<never> => {
    await scene.clock.sleep(durationMs)
    throw failure(code)
  }
export const hang = ({ signal }: Attempt): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
