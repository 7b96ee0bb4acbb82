import { afterEach, describe, expect, it, vi } from 'vitest'

import { farewellAtSigterm, sayFarewell } from '../../src/lambda/farewell.ts'
import { type OpenSessions, processWide } from '../../src/process-wide.ts'
import { FakePool, FakeServer, ManualClock } from '../../src/testing/index.ts'

afterEach(() => {
  processWide().sessions.clear()
  vi.restoreAllMocks()
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

describe('the farewell of a process in which somebody else has something to do', () => {
  it('closes what nobody uses, and neither closes nor cuts what somebody does', async () => {
    processWide().sessions.clear()
    const clock = new ManualClock()
    const server = new FakeServer({ clock })
    const pool = new FakePool(server, { max: 2 }, { clock })
    const held = await pool.connect()
    await pool.query('select 1')
    expect(server.sessions.length).toBe(2)
    await sayFarewell(clock, true)
    expect(server.sessions.length).toBe(1)
    await held.query('select 1')
    held.release()
  })

  it('does not cut what was opened meanwhile', async () => {
    processWide().sessions.clear()
    const clock = new ManualClock()
    const server = new FakeServer({ clock })
    const pool = new FakePool(server, { max: 1 }, { clock })
    await pool.query('select 1')
    const mute: OpenSessions = { leave: () => new Promise(() => {}), cut: () => {} }
    processWide().sessions.add(mute)
    const said = sayFarewell(clock, true)
    const late = await pool.connect()
    await clock.advance(100)
    await said
    await late.query('select 1')
    expect(server.sessions.length).toBe(1)
    late.release()
  })

  it('goes on where another copy’s pool fails', async () => {
    processWide().sessions.clear()
    const fail = (): never => {
      throw new Error('of another version')
    }
    let cutCount = 0
    const mute = {
      leave: () => Promise.resolve(),
      cut: () => {
        cutCount += 1
      },
    }
    processWide().sessions.add({ leave: fail, cut: fail }).add(mute)
    await expect(sayFarewell(new ManualClock())).resolves.toBeUndefined()
    expect(cutCount).toBe(1)
  })
})

describe('the end of the process after SIGTERM', () => {
  /** What was sent to this process by itself, at the SIGTERM that `listen` prepares. */
  async function killedAfter(listen: () => void, meanwhile: () => void = () => {}): Promise<unknown[][]> {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
    const before = process.rawListeners('SIGTERM')
    process.removeAllListeners('SIGTERM')
    const clock = new ManualClock()
    try {
      listen()
      farewellAtSigterm(clock)
      process.emit('SIGTERM', 'SIGTERM')
      meanwhile()
      await clock.advance(200)
      return kill.mock.calls
    } finally {
      process.removeAllListeners('SIGTERM')
      for (const listener of before) process.on('SIGTERM', listener as () => void)
    }
  }

  it('is ours to bring about where nobody else listens', async () => {
    expect(await killedAfter(() => {})).toEqual([[process.pid, 'SIGKILL']])
  })

  it('is left to one who listens once, and listened first', async () => {
    expect(await killedAfter(() => process.once('SIGTERM', () => {}))).toEqual([])
  })

  it('is left to one who listens by the time the farewell is said', async () => {
    const late = (): void => void process.on('SIGTERM', () => {})
    expect(await killedAfter(() => {}, late)).toEqual([])
  })
})
