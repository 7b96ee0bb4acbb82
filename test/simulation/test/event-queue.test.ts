import { describe, expect, it } from 'vitest'

import { EventQueue } from '../event-queue.ts'
import { SeededRandom } from '../random.ts'

describe('the event queue', () => {
  it('runs events by their time, and those of one instant in the order they were put in', () => {
    const random = new SeededRandom(1)
    const times = Array.from({ length: 5_000 }, () => Math.floor(20 * random.next()))
    const queue = new EventQueue()
    const ran: (readonly [number, number])[] = []
    for (const [index, timeMs] of times.entries()) queue.push(timeMs, () => ran.push([timeMs, index]))
    while (queue.size > 0) queue.pop()?.()
    const expected = times
      .map((timeMs, index) => [timeMs, index] as const)
      .toSorted(([left, first], [right, second]) => left - right || first - second)
    expect(ran).toEqual(expected)
  })

  it('keeps the order while events put in others', () => {
    const queue = new EventQueue()
    const ran: string[] = []
    queue.push(2, () => ran.push('last'))
    queue.push(1, () => {
      ran.push('first')
      queue.push(1, () => ran.push('second'))
    })
    while (queue.size > 0) queue.pop()?.()
    expect(ran).toEqual(['first', 'second', 'last'])
  })

  it('has no next event when it is empty', () => {
    expect(new EventQueue().nextMs).toBe(Number.POSITIVE_INFINITY)
    expect(new EventQueue().pop()).toBeUndefined()
  })
})
