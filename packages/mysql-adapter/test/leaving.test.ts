import { EventEmitter } from 'node:events'

import type { Governor } from '@leasehold/core'
import { ManualClock } from '@leasehold/core/testing'
import { describe, expect, it } from 'vitest'

import { leaving } from '../src/cancel.ts'
import type { DriverConnection } from '../src/driver.ts'

class Waiting extends Array<object> {
  get(place: number): object | undefined {
    return this[place]
  }
}

const RUNNING = { onResult: () => {} }

/** A connection with `running` on it, which can't be stopped. */
function start(running: object | null, ...names: string[]) {
  const heard: string[] = []
  const stream = Object.assign(new EventEmitter(), { destroyed: false })
  const statement = (name: string): object => ({
    name,
    resultsetHeader: () => {},
    onResult: () => heard.push(`${name} refused`),
  })
  const connection = {
    _command: running,
    _commands: new Waiting(...names.map((name) => statement(name))),
    threadId: null,
    stream,
    addCommand: ({ name }: { readonly name: string }) => heard.push(`${name} sent`),
    _removeFromPool: () => {
      heard.push('out of the pool')
    },
    end: () => {
      heard.push('quit')
      stream.emit('close')
    },
  }
  const governor = { clock: new ManualClock() } as unknown as Governor
  const leave = leaving(connection as unknown as DriverConnection, governor)
  // Without the barrier that stood before them.
  const left = (): unknown[] => connection._commands.flatMap((one) => ('name' in one ? [one.name] : []))
  const send = (name: string): void => void connection.addCommand(statement(name) as never)
  return { heard, leave, left, send, stream }
}

describe('leaving a connection on which something runs', () => {
  it('sends nothing that waits behind it: a commit would commit what is left of the transaction', async () => {
    const { heard, leave, left } = start(RUNNING, 'insert', 'commit')
    await leave()
    expect(heard).toEqual(['insert refused', 'commit refused', 'out of the pool', 'quit'])
    expect(left()).toEqual([])
  })

  it('sends nothing of what comes meanwhile: whoever hears that a statement was stopped may commit the others', async () => {
    const { heard, leave, send } = start(RUNNING)
    const left = leave()
    send('commit')
    await left
    expect(heard).toEqual(['commit refused', 'out of the pool', 'quit'])
  })

  it('leaves the second half of an `execute` to the driver', async () => {
    const { heard, leave, left } = start({ ...RUNNING, prepareHeader: () => {} }, 'second half', 'commit')
    await leave()
    expect(heard).toEqual(['commit refused', 'out of the pool', 'quit'])
    expect(left()).toEqual(['second half'])
  })
})

describe('leaving a connection on which rows are streamed', () => {
  it('leaves no error that nobody hears', async () => {
    const stream = new EventEmitter()
    const { leave } = start(stream)
    await leave()
    expect(() => stream.emit('error', new Error('Query execution was interrupted'))).not.toThrow()
  })
})

describe('leaving a connection of a pool', () => {
  it('takes it out of the pool first, at once: a pool that is ended then would throw', () => {
    const { heard, leave } = start(null)
    void leave()
    expect(heard).toEqual(['out of the pool', 'quit'])
  })
})

describe('leaving a connection that is closed', () => {
  it('waits for nothing', async () => {
    const { heard, leave, stream } = start(RUNNING, 'commit')
    stream.destroyed = true
    await leave()
    expect(heard).toEqual([])
  })
})
