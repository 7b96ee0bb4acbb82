import { afterEach, describe, expect, it, vi } from 'vitest'

import { farewellAtSigterm, sayFarewell } from '../../src/lambda/farewell.ts'
import { type OpenSessions, processWide } from '../../src/process-wide.ts'
import { FakePool, type FakePoolOptions, FakeServer, ManualClock } from '../../src/testing/index.ts'
import { ListeningLogger } from '../scene.ts'

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

describe('measurements at the farewell of a process', () => {
  function measured(options: FakePoolOptions, server: FakeServer, clock: ManualClock): [FakePool, string[]] {
    const recorded: string[] = []
    const metrics = {
      everyMs: 60_000,
      record: (name: string) => void recorded.push(name),
      flush: async (isLast: boolean) => {
        recorded.push(`flush ${String(isLast)}`)
        return undefined
      },
    }
    const logger = new ListeningLogger()
    return [new FakePool(server, { ...options, metrics, logger }, { clock }), recorded]
  }

  it('are sent by a pool that never had a session: it has the most to tell', async () => {
    processWide().sessions.clear()
    const clock = new ManualClock()
    const server = new FakeServer({ clock, slotCount: 0 })
    const [pool, recorded] = measured({ acquireTimeoutMs: 200 }, server, clock)
    const rejected = pool.query('select 1').catch(() => undefined)
    await clock.advance(1_000)
    await rejected
    await sayFarewell(clock)
    expect(recorded).toContain('ConnectsGivenUp')
    expect(recorded.at(-1)).toBe('flush true')
  })

  it('are sent once, whether or not sessions are open', async () => {
    processWide().sessions.clear()
    const clock = new ManualClock()
    const [pool, recorded] = measured({}, new FakeServer({ clock }), clock)
    await pool.query('select 1')
    await sayFarewell(clock)
    expect(recorded.filter((line) => line.startsWith('flush'))).toEqual(['flush true'])
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
