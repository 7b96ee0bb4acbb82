import { afterEach, describe, expect, it } from 'vitest'

import { sayFarewell } from '../../src/lambda/farewell.ts'
import { type OpenSessions, processWide } from '../../src/process-wide.ts'
import { FakePool, FakeServer, ManualClock } from '../../src/testing/index.ts'

afterEach(() => {
  processWide().sessions.clear()
})

describe('the farewell of a process', () => {
  it('closes every session of every pool, in use or idle', async () => {
    processWide().sessions.clear()
    const clock = new ManualClock()
    const server = new FakeServer({ clock })
    const pools = [new FakePool(server, { max: 2 }, { clock }), new FakePool(server, {}, { clock })]
    const held = await pools[0]?.connect()
    for (const pool of pools) await pool.query('select 1')
    expect(server.sessions.length).toBe(3)
    await sayFarewell(clock)
    expect(server.sessions.length).toBe(0)
    expect(held).toBeDefined()
    expect(processWide().sessions.size).toBe(0)
  })

  it('cuts what does not answer within 100 ms, and waits for nothing else', async () => {
    const clock = new ManualClock()
    let cutCount = 0
    const mute: OpenSessions = {
      leave: () => new Promise(() => {}),
      cut: () => {
        cutCount += 1
      },
    }
    processWide().sessions.add(mute)
    let isSaid = false
    void sayFarewell(clock).then(() => {
      isSaid = true
    })
    await clock.advance(99)
    expect([isSaid, cutCount]).toEqual([false, 0])
    await clock.advance(1)
    expect([isSaid, cutCount, clock.pendingCount]).toEqual([true, 1, 0])
  })
})
