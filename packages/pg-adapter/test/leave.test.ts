import { EventEmitter } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { ManualClock } from '@leasehold/core/testing'
import { describe, expect, it } from 'vitest'

import { type Cancellable, leave } from '../src/cancel.ts'

/** A client with one statement running that can't be cancelled, and one waiting behind it. */
function start(running: object = {}) {
  const done: string[] = []
  const waiting = { handleError: () => done.push('refused') }
  const client = {
    _ending: false,
    _activeQuery: running,
    _queryQueue: [waiting],
    connection: {},
    processID: null,
    secretKey: null,
    holdQueries: () => () => done.push(`released with ${client._queryQueue.length} waiting`),
    end: () => Promise.resolve(done.push('ended')),
  }
  return { client, done }
}

describe('leaving a client on which something runs', () => {
  it('sends nothing that waits behind it, and takes nothing more', async () => {
    const { client, done } = start()
    await leave(client as unknown as Cancellable, new ManualClock())
    await nextTurn()
    expect(done).toHaveLength(3)
    expect(done).toEqual(expect.arrayContaining(['refused', 'released with 0 waiting', 'ended']))
    expect(client._ending).toBe(true)
  })

  it('leaves no error of a stream that nobody hears', async () => {
    const stream = new EventEmitter()
    const { client } = start(stream)
    await leave(client as unknown as Cancellable, new ManualClock())
    expect(() => stream.emit('error', new Error('canceling statement due to user request'))).not.toThrow()
  })
})
