import { describe, expect, it } from 'vitest'

import { serveEvents } from '../../src/lambda/event-loop.ts'
import type { ExtensionEvent } from '../../src/lambda/extensions-api.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

/** An API that answers `next` with what the test says, one answer a question; none leaves it waiting. */
function start() {
  const clock = new ManualClock()
  const told: string[] = []
  const answers: (ExtensionEvent | Error)[] = []
  let askedCount = 0
  const next = (): Promise<ExtensionEvent> => {
    askedCount += 1
    const answer = answers.shift()
    if (answer === undefined) return new Promise(() => {})
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  }
  const serve = (): void => {
    void serveEvents(next, clock, {
      invoke: async ({ requestId }) => void told.push(`invoke ${requestId}`),
      lost: (error) => void told.push(`lost: ${(error as Error).message}`),
      found: () => void told.push('found'),
    })
  }
  return { clock, told, answers, serve, askedCount: () => askedCount }
}

const failures = (count: number): Error[] => Array.from({ length: count }, () => new Error('no answer'))
const invoke = (requestId: string): ExtensionEvent => ({ eventType: 'INVOKE', requestId })

describe('the question for the next event', () => {
  it('is asked again after each answer', async () => {
    const { answers, askedCount, clock, serve, told } = start()
    answers.push(invoke('one'), invoke('two'))
    serve()
    await clock.advance(0)
    expect(told).toEqual(['invoke one', 'invoke two'])
    expect(askedCount()).toBe(3)
  })

  it('is asked six times within 0.7 s where it fails, and then somebody is told, once', async () => {
    const { answers, askedCount, clock, serve, told } = start()
    answers.push(...failures(20))
    serve()
    await clock.advance(700)
    expect(askedCount()).toBe(6)
    expect(told).toEqual(['lost: no answer'])
    await clock.advance(4_000)
    expect(told).toHaveLength(1)
  })

  it('goes on for ever, every two seconds', async () => {
    const { answers, askedCount, clock, serve } = start()
    answers.push(...failures(2_000))
    serve()
    await clock.advance(10_000)
    const before = askedCount()
    await clock.advance(2_000_000)
    expect(askedCount() - before).toBe(1_000)
  })

  it('is heard again when the API is back, as if nothing had been', async () => {
    const { answers, clock, serve, told } = start()
    answers.push(...failures(8), invoke('one'), ...failures(6), invoke('two'))
    serve()
    await clock.advance(20_000)
    expect(told).toEqual(['lost: no answer', 'found', 'invoke one', 'lost: no answer', 'found', 'invoke two'])
  })

  it('is a failure where something else than an event of an invocation comes', async () => {
    const { answers, clock, serve, told } = start()
    answers.push(...Array.from({ length: 6 }, () => ({ eventType: 'SHUTDOWN' })))
    serve()
    await clock.advance(1_000)
    expect(told).toEqual(['lost: /event/next was answered with something else'])
  })
})
