import { describe, expect, it } from 'vitest'

import { failureDetails } from '../src/errors.ts'
import { formatLabel, parseLabel } from '../src/label.ts'
import type { MetricsSink } from '../src/metrics.ts'
import { FakeServerError } from '../src/testing/fake-errors.ts'
import { governedScene } from './governed-scene.ts'
import { rejectionOf } from './scene.ts'

describe('a new session', () => {
  it('asks for the shortest lease, until a census knows better', async () => {
    const { open } = governedScene({ minLeaseMs: 3_000 })
    const { connection, governed } = await open()
    expect(connection.server.leaseMs).toBe(3_000)
    expect(governed.lease).toMatchObject({ leaseMs: 3_000, keeper: 'server' })
    expect(governed).toMatchObject({ confirmed: true, checkedOut: true, spoilt: false })
  })

  it('asks for the lease of the newest census when that is not old', async () => {
    const { governor, clock, open, settle } = governedScene({ maxLeaseMs: 240_000, censusEveryMs: 2_000 })
    await settle((await open()).governed)
    expect(governor.startLeaseMs(false)).toBe(240_000)
    await clock.advance(2_001)
    expect(governor.startLeaseMs(false)).toBe(2_000)
  })

  it('asks for the shortest lease when it was refused on its way in, whatever the census said', async () => {
    const { governor, open, settle } = governedScene()
    await settle((await open()).governed)
    expect(governor.startLeaseMs(true)).toBe(500)
  })

  it('carries a label with its fleet, its function and its age', async () => {
    const env = { AWS_LAMBDA_FUNCTION_NAME: 'checkout' }
    const { clock, open } = governedScene({ fleet: 'shop' }, {}, env)
    const { connection } = await open()
    expect(parseLabel(connection.label)).toEqual({
      fleet: 'shop',
      name: 'checkout',
      waitedMs: 0,
      openedEpochMs: clock.epochMs(),
      recall: { afterIdleMs: 1_500, limitMs: 900_000 },
    })
  })

  it('says in its label how long it had to wait', async () => {
    const { clock, server, open, stranger } = governedScene({}, { slotCount: 1 })
    const other = await stranger()
    const opening = open()
    await clock.advance(50)
    other.close()
    await clock.advance(500)
    const { connection } = await opening
    expect(server.refusedCount).toBeGreaterThan(0)
    expect(parseLabel(connection.label)?.waitedMs).toBeGreaterThan(50)
  })

  describe('that is the first of its environment', () => {
    const opens = async (slotCount: number, options: Parameters<typeof governedScene>[0] = {}) => {
      const scene = governedScene(options, { slotCount })
      const other = await scene.stranger()
      const opening = scene.open()
      await scene.clock.advance(50)
      other.close()
      await scene.clock.advance(500)
      return { ...scene, opened: await opening }
    }

    it('counts before it is handed out, where it was refused: after the response there may be no time', async () => {
      const { governor, opened } = await opens(1)
      expect(governor.stats).toMatchObject({ refused: 1, censuses: 1 })
      expect(opened.governed).toMatchObject({ number: 1, refused: true, proven: true, spoilt: false })
    })

    const slow = { slotCount: 1, connectMs: 0, roundTripMs: 5_000 }

    it('is handed out when its time is over, though the count is not answered yet', async () => {
      const { clock, governor, open, stranger } = governedScene(
        { acquireTimeoutMs: 1_000, minLeaseMs: 10_000 },
        slow,
      )
      const other = await stranger()
      let isOut = false
      const opening = open().finally(() => (isOut = true))
      await clock.advance(50)
      other.close()
      await clock.advance(900)
      expect(isOut).toBe(false)
      await clock.advance(100)
      expect((await opening).governed).toMatchObject({ refused: true, proven: false, spoilt: false })
      expect(governor.stats).toMatchObject({ censuses: 0, failed: 0 })
    })

    it('is forgotten where it ends while it is asked, when no adapter watches it yet', async () => {
      const { clock, governor, server, open, stranger } = governedScene({ minLeaseMs: 10_000 }, slow)
      const other = await stranger()
      const opening = open()
      await clock.advance(50)
      other.close()
      await clock.advance(1_000)
      expect(governor.stats.opened).toBe(1)
      server.sessions[0]?.vanish()
      await clock.advance(10)
      expect((await opening).governed.spoilt).toBe(true)
      expect([...governor.connections]).toEqual([])
    })

    it('is handed out at once where it was let in at once', async () => {
      const { governor, opened } = await opens(2)
      expect(governor.stats).toMatchObject({ refused: 0, censuses: 0 })
      expect(opened.governed).toMatchObject({ refused: false, proven: false })
    })

    it('does not count where no server holds a lease', async () => {
      const { governor } = await opens(1, { lease: 'off' })
      expect(governor.stats).toMatchObject({ refused: 1, censuses: 0 })
    })
  })

  it('does not count before it is handed out where it is a later one of its environment', async () => {
    const { governor, clock, open, stranger } = governedScene({}, { slotCount: 2 })
    await open()
    const other = await stranger()
    const opening = open()
    await clock.advance(50)
    other.close()
    await clock.advance(500)
    expect((await opening).governed).toMatchObject({ number: 2, refused: true, late: false })
    expect(governor.stats.censuses).toBe(0)
  })

  it('counts before it is handed out where it waited for much longer than others had to', async () => {
    const { governor, clock, open, settle, stranger } = governedScene({}, { slotCount: 2 })
    const label = { fleet: 'leasehold', name: 'other', waitedMs: 100, openedEpochMs: clock.epochMs() }
    const other = await stranger(formatLabel(label))
    const first = await open()
    await settle(first.governed)
    expect(governor.stats.censuses).toBe(1)
    const opening = open()
    await clock.advance(400)
    other.close()
    await clock.advance(500)
    expect((await opening).governed).toMatchObject({ number: 2, refused: true, late: true })
    expect(governor.stats.censuses).toBe(2)
  })

  it('is called local outside Lambda, unless it has a name', () => {
    const { governor } = governedScene()
    expect(parseLabel(governor.label({ publishedWaitMs: 0 }))?.name).toBe('local')
    expect(parseLabel(governor.label({ publishedWaitMs: 0 }, 'reports'))?.name).toBe('reports')
  })

  it('is held for 400 ms, give or take a tenth, under contention, and for less where it is the first', async () => {
    const { open } = governedScene({}, { slotCount: 2 })
    expect((await open()).governed.quantumMs).toBeCloseTo(260)
    expect((await open()).governed.quantumMs).toBe(400)
  })

  it('leaves nothing of itself when it cannot be opened', async () => {
    const { governor, server, clock, open } = governedScene({}, { password: 'right' })
    const error = await rejectionOf(open())
    expect(failureDetails(error)).toMatchObject({ kind: 'auth' })
    expect(governor.stats).toMatchObject({ opened: 0, attempts: 1 })
    expect([...governor.connections]).toEqual([])
    expect(server.sessions).toEqual([])
    expect(clock.pendingCount).toBe(0)
  })

  it('leaves no session behind when its connect is cut at its limit', async () => {
    const { server, clock, open } = governedScene(
      { connectTimeoutMs: 100, resumeBudgetMs: 0 },
      { connectMs: 200 },
    )
    const rejected = rejectionOf(open())
    await clock.advance(100)
    await rejected
    expect(server.sessions).toEqual([])
  })
})

describe('a server that refuses leases at start-up', () => {
  it('gets the connect again without one, within the same attempt', async () => {
    const { governor, server, open } = governedScene()
    server.leases = 'refused'
    const { governed, connection } = await open()
    expect(connection.server.leaseMs).toBeUndefined()
    expect(governed.lease).toMatchObject({ leaseMs: 300_000, keeper: 'client' })
    expect(governor.stats).toMatchObject({ attempts: 1, opened: 1, leaseRefused: 1 })
  })

  it('has the phases of the connect that succeeded measured, and no others', async () => {
    const recorded: string[] = []
    const metrics: MetricsSink = {
      everyMs: 60_000,
      record: (name) => void recorded.push(name),
      flush: async () => undefined,
    }
    const { governor, server } = governedScene({ metrics })
    const session = await server.connect({ label: 'ours' })
    let times = 0
    await governor.open(async (attempt) => {
      attempt.reached('network')
      times += 1
      if (times === 1) throw new FakeServerError('FAKE_LEASE_REFUSED', 'unrecognized parameter')
      attempt.reached('login')
      return { connection: session, hands: session, leaseMs: undefined, exact: false }
    })
    expect(times).toBe(2)
    expect(recorded.filter((name) => name === 'ConnectNetworkTime')).toHaveLength(1)
    expect(recorded).toContain('ConnectLoginTime')
  })

  it('is not asked again', async () => {
    const { governor, server, open } = governedScene()
    server.leases = 'refused'
    await open()
    expect(governor.asksForLease).toBe(false)
    await open()
    expect(governor.stats.leaseRefused).toBe(1)
  })

  it('is told of once, and counted every time', async () => {
    const { governor, server, logger, open } = governedScene()
    server.leases = 'refused'
    await Promise.all([open(), open()])
    expect(governor.stats.leaseRefused).toBe(2)
    expect(logger.warnings).toEqual([
      'leasehold: the server or a proxy before it refuses a lease at start-up; idle connections are now dropped by this side alone, and pinged before use',
    ])
  })

  it('does not hide what else is wrong', async () => {
    const { server, open } = governedScene({}, { password: 'right' })
    server.leases = 'refused'
    expect(await rejectionOf(open())).toMatchObject({ code: 'FAKE_WRONG_PASSWORD' })
  })
})

describe('an environment that had yielded', () => {
  it('learns from its returns how short its gaps have become, and then holds on', async () => {
    const { governor, clock, open, settle, stranger } = governedScene({}, { slotCount: 2 })
    await stranger()
    let held = await open()
    await settle(held.governed)
    await clock.advance(300)
    governor.checkout(held.governed)
    governor.handedOver(held.governed)
    await settle(held.governed)
    expect(governor.stats.yielded).toBe(1)
    for (let use = 0; use < 20 && !held.connection.open; use += 1) {
      await clock.advance(1)
      let isOpen = false
      const opening = open().finally(() => {
        isOpen = true
      })
      // The courtesy owed after a yield.
      while (!isOpen) await clock.advance(10)
      held = await opening
      await settle(held.governed)
    }
    expect(held.connection.open).toBe(true)
  })
})

describe('an environment that lost a connection in use', () => {
  it('does not take the time until the next for a gap of its own', async () => {
    const { governor, clock, server, open, settle, stranger } = governedScene({}, { slotCount: 2 })
    await stranger()
    const lost = await open()
    server.terminate(lost.connection)
    await clock.advance(10_000)
    const { governed, connection } = await open()
    await settle(governed)
    expect(governor.view).toMatchObject({ usedCount: 2, slotCount: 2 })
    expect(connection.open).toBe(true)
  })
})

describe('an environment that yielded to one who had waited', () => {
  it('leaves the slot alone for about as long, at its next request', async () => {
    const { governor, clock, server, open, settle, stranger } = governedScene({}, { slotCount: 2 })
    const label = { fleet: 'leasehold', name: 'other', waitedMs: 800, openedEpochMs: clock.epochMs() }
    await stranger(formatLabel(label))
    const { governed, connection } = await open()
    // A busy holder, until its quantum is over.
    for (let use = 0; use < 500 && governor.stats.yielded === 0; use += 1) {
      await clock.advance(2)
      governor.checkout(governed)
      governor.handedOver(governed)
      await connection.run('select 1')
      await settle(governed)
    }
    expect(governor.stats.yielded).toBe(1)
    await clock.advance(40)
    const opening = open()
    await clock.advance(500)
    expect(server.sessions).toHaveLength(1)
    await clock.advance(200)
    await opening
    expect(server.sessions).toHaveLength(2)
  })
})

describe('a request that waited for a busy pool', () => {
  it('is told how busy, and what to do', () => {
    const { governor, logger } = governedScene()
    const error = governor.busyError(3_000.4, 5, 5)
    expect(error.code).toBe('ACQUIRE_TIMEOUT')
    expect(error.message).toMatch(
      /^no connection free within 3000 ms: 5 of 5 of this pool are in use or opening; /,
    )
    expect(governor.stats.gaveUp).toBe(1)
    expect(logger.errors).toEqual([`leasehold: ${error.message}`])
  })
})
