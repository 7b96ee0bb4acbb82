import { describe, expect, it } from 'vitest'

import { formatLabel } from '../src/label.ts'
import { FakeServerError } from '../src/testing/fake-errors.ts'
import { FakeSession } from '../src/testing/fake-session.ts'
import { governedScene } from './governed-scene.ts'

describe('after a response', () => {
  it('the first census gives the session its lease by what the server counts', async () => {
    const { governor, open, settle } = governedScene({ maxLeaseMs: 240_000 })
    const { connection, governed } = await open()
    expect(connection.server.leaseMs).toBe(2_000)
    await settle(governed)
    expect(governor.stats.censuses).toBe(1)
    expect(governor.view).toMatchObject({ usedCount: 1, slotCount: 26, fleetCount: 1, waiting: false })
    expect(connection.server.leaseMs).toBe(240_000)
    expect(governed.lease).toMatchObject({ leaseMs: 240_000, keeper: 'server' })
  })

  it('the first census and its lease cost one round trip', async () => {
    const { clock, open, governor } = governedScene()
    const { governed, connection } = await open()
    const statements: string[] = []
    governed.hands.run = (statement) => {
      statements.push(statement)
      return FakeSession.prototype.run.call(connection, statement)
    }
    governor.checkin(governed)
    await clock.advance(0)
    expect(statements).toHaveLength(1)
    expect(governed.lease.leaseMs).toBe(300_000)
  })

  it('nothing is said to the server while slots are plenty and the census is new', async () => {
    const { governor, clock, open, settle } = governedScene({ censusEveryMs: 2_000 })
    const { governed } = await open()
    for (let use = 0; use < 50; use += 1) {
      await settle(governed)
      await clock.advance(20)
      expect(governor.checkout(governed)).toBe('ready')
      governor.handedOver(governed)
    }
    expect(governor.stats.censuses).toBe(1)
    expect(clock.pendingCount).toBeLessThanOrEqual(3)
  })

  it('a census is taken again when the interval is over', async () => {
    const { governor, clock, open, settle } = governedScene({ censusEveryMs: 2_000 })
    const { governed, connection } = await open()
    await settle(governed)
    await clock.advance(2_001)
    await connection.run('')
    governor.handedOver(governed)
    await connection.run('select 1')
    await settle(governed)
    expect(governor.stats.censuses).toBe(2)
  })

  it('nothing is even scheduled while slots are plenty and the census is new', async () => {
    const { governor, clock, open, settle } = governedScene()
    const { governed } = await open()
    await settle(governed)
    const before = clock.pendingCount
    for (let use = 0; use < 10; use += 1) governor.checkin(governed)
    expect(clock.pendingCount).toBe(before)
  })

  it('nothing more is scheduled while housekeeping is scheduled, or a census under way', async () => {
    const { governor, clock, open } = governedScene({}, { roundTripMs: 5 })
    const opening = open()
    await clock.advance(5)
    const { governed } = await opening
    const before = clock.pendingCount
    for (let use = 0; use < 10; use += 1) governor.checkin(governed)
    expect(clock.pendingCount).toBe(before + 1)
    await clock.advance(1)
    const during = clock.pendingCount
    expect(governed.checking).toBeDefined()
    for (let use = 0; use < 10; use += 1) governor.checkin(governed)
    expect(clock.pendingCount).toBe(during)
  })

  it('the lease follows the pressure, tier by tier', async () => {
    const { governor, clock, open, settle, stranger } = governedScene(
      { censusEveryMs: 100 },
      { slotCount: 100 },
    )
    const { governed, connection } = await open()
    const leases: number[] = []
    for (let usedCount = 1; usedCount <= 95; usedCount += 1) {
      await settle(governed)
      leases.push(governed.lease.leaseMs)
      expect(connection.server.leaseMs).toBe(governed.lease.leaseMs)
      await clock.advance(150)
      governor.handedOver(governed)
      await connection.run('select 1')
      await stranger()
    }
    expect(leases[0]).toBe(300_000)
    expect(leases.at(-1)).toBe(2_000)
    expect(leases).toEqual(leases.toSorted((left, right) => right - left))
    expect(new Set(leases).size).toBe(7)
  })

  it('the lease is short at once when newcomers had to wait, though slots are free', async () => {
    const { clock, open, settle, stranger } = governedScene()
    const label = { fleet: 'leasehold', name: 'other', waitedMs: 700, openedEpochMs: clock.epochMs() }
    await stranger(formatLabel(label))
    const { governed, connection } = await open()
    await settle(governed)
    expect(governed.lease.leaseMs).toBe(2_000)
    expect(connection.server.leaseMs).toBe(2_000)
  })

  it('housekeeping asked for twice runs once', async () => {
    const { governor, clock, open } = governedScene()
    const { governed } = await open()
    governor.checkin(governed)
    governor.handedOver(governed)
    governor.checkin(governed)
    await clock.advance(0)
    expect(governor.stats.censuses).toBe(1)
  })

  it('no census is taken on a connection that is in use again', async () => {
    const { governor, clock, open } = governedScene()
    const { governed, connection } = await open()
    governor.checkin(governed)
    governor.handedOver(governed)
    const running = connection.run('sleep 50')
    await clock.advance(60)
    await running
    expect(governor.stats.censuses).toBe(0)
  })

  it('no census is taken where leases are off', async () => {
    const { governor, clock, open, settle } = governedScene({ lease: 'off' })
    const { governed } = await open()
    await settle(governed)
    expect(governor.stats.censuses).toBe(0)
    expect(clock.pendingCount).toBe(0)
  })

  it('no census is taken after a freeze on a session whose lease has lapsed meanwhile', async () => {
    const { governor, clock, server, open } = governedScene()
    const { governed } = await open()
    governor.checkin(governed)
    clock.freeze(60_000)
    server.blackhole()
    await clock.advance(0)
    expect(governed.checking).toBeUndefined()
    expect(governor.checkout(governed)).toBe('lapsed')
  })

  it('the lease counts from the question of a census whose answer waited through a freeze', async () => {
    const { clock, governor, open } = governedScene({ maxLeaseMs: 60_000 }, { roundTripMs: 2 })
    const opening = open()
    await clock.advance(2)
    const { governed } = await opening
    governor.checkin(governed)
    await clock.advance(0)
    clock.freeze(58_000)
    await clock.advance(0)
    expect(governed.lease.leaseMs).toBe(60_000)
    expect(governed.lease.idleMs()).toBe(58_000)
    await clock.advance(1_000)
    expect(governor.checkout(governed)).toBe('lapsed')
  })
})

describe('a slot that others want', () => {
  it('is given up after the response when the own gaps are long', async () => {
    const { governor, clock, server, open, settle, stranger } = governedScene({}, { slotCount: 2 })
    await stranger()
    const { governed, connection } = await open()
    await settle(governed)
    await clock.advance(200)
    governor.checkout(governed)
    governor.handedOver(governed)
    await settle(governed)
    expect(governed.lease.ageMs()).toBeLessThan(governed.quantumMs)
    expect(connection.open).toBe(false)
    expect(server.sessions).toHaveLength(1)
    expect(governor.stats.yielded).toBe(1)
  })

  it('is kept for a quantum while the environment is busy, and then given up', async () => {
    const { governor, clock, open, settle, stranger } = governedScene({}, { slotCount: 2 })
    const label = { fleet: 'leasehold', name: 'other', waitedMs: 700, openedEpochMs: clock.epochMs() }
    await stranger(formatLabel(label))
    const { governed, connection } = await open()
    let heldMs = 0
    for (; connection.open && heldMs < 2_000; heldMs += 2) {
      await connection.run('select 1')
      await settle(governed)
      await clock.advance(2)
      governor.checkout(governed)
      governor.handedOver(governed)
    }
    expect(heldMs).toBeGreaterThanOrEqual(400)
    expect(heldMs).toBeLessThan(420)
    expect(governor.stats).toMatchObject({ yielded: 1, lost: 0 })
  })

  it('is kept where it turns out at the last moment that the application has it again', async () => {
    const { governor, clock, open, stranger } = governedScene({}, { slotCount: 2, roundTripMs: 5 })
    const openings = [stranger(), open()] as const
    await clock.advance(5)
    const { governed, connection } = await openings[1]
    clock.freeze(500)
    governor.checkout(governed)
    governor.checkin(governed)
    await clock.advance(1)
    expect(governed.checking).toBeDefined()
    governor.handedOver(governed)
    const running = connection.run('select 1')
    await clock.advance(20)
    await running
    expect(governor.view).toMatchObject({ usedCount: 2, slotCount: 2 })
    expect(connection.open).toBe(true)
    expect(governor.stats.yielded).toBe(0)
  })

  it('is kept by everybody while slots are plenty, whatever the gaps', async () => {
    const { governor, clock, open, settle } = governedScene()
    const { governed } = await open()
    for (let use = 0; use < 10; use += 1) {
      await settle(governed)
      await clock.advance(5_000)
      governor.checkout(governed)
      await governor.alive(governed)
      governor.handedOver(governed)
    }
    expect(governor.stats).toMatchObject({ yielded: 0, opened: 1 })
  })
})

describe('a server that refuses the census', () => {
  it('is a plain pool’s server from then on: long leases, no census, nothing yielded', async () => {
    const { governor, clock, server, open, settle, stranger } = governedScene({}, { slotCount: 2 })
    server.answersCensus = false
    await stranger()
    const { governed, connection } = await open()
    for (let use = 0; use < 5; use += 1) {
      await settle(governed)
      await clock.advance(5_000)
      governor.handedOver(governed)
    }
    expect(connection.open).toBe(true)
    expect(connection.server.leaseMs).toBe(300_000)
    expect(governed.lease.leaseMs).toBe(300_000)
    expect(governor.stats).toMatchObject({ censusRefused: 1, censuses: 0, yielded: 0, lost: 0 })
  })

  it('takes no slot from this environment on what was counted before', async () => {
    const { governor, clock, server, open, settle, stranger } = governedScene({}, { slotCount: 2 })
    await stranger()
    const { governed, connection } = await open()
    await settle(governed)
    server.answersCensus = false
    for (let use = 0; use < 250; use += 1) {
      governor.checkout(governed)
      governor.handedOver(governed)
      await connection.run('select 1')
      await settle(governed)
      await clock.advance(2)
    }
    expect(governor.stats).toMatchObject({ censusRefused: 1, yielded: 0 })
    expect(connection.open).toBe(true)
  })

  it('gives new sessions the long lease at once, because no census will', async () => {
    const { governor, server, open, settle } = governedScene()
    server.answersCensus = false
    await settle((await open()).governed)
    expect(governor.startLeaseMs(true)).toBe(300_000)
  })

  it('is not asked for a lease on a session that holds none', async () => {
    const { server, open, settle } = governedScene({ lease: 'client' })
    server.answersCensus = false
    const { governed, connection } = await open()
    await settle(governed)
    expect(connection.server.leaseMs).toBeUndefined()
    expect(governed.lease).toMatchObject({ keeper: 'client', leaseMs: 300_000 })
  })

  it('is told of once', async () => {
    const { server, logger, open, settle } = governedScene()
    server.answersCensus = false
    const [one, other] = [await open(), await open()]
    await settle(one.governed)
    await settle(other.governed)
    expect(logger.warnings).toEqual([
      'leasehold: the server refuses the census (FAKE_CENSUS_REFUSED); going on without it: leases stay long, nothing is yielded',
    ])
  })

  it('does not cost the connection, even where it will not set a lease either', async () => {
    const { governor, clock, open } = governedScene()
    const { governed } = await open()
    governed.hands.run = () => Promise.reject(new FakeServerError('FAKE_CENSUS_REFUSED', 'permission denied'))
    governor.checkin(governed)
    await clock.advance(0)
    expect(governed).toMatchObject({ spoilt: false, checking: undefined })
    expect(governor.stats).toMatchObject({ censusRefused: 1, lost: 0 })
  })

  it('is not waited for without end where it does not answer the statement after that', async () => {
    const { governor, clock, open } = governedScene({ connectTimeoutMs: 1_000 })
    const { governed } = await open()
    let statements = 0
    governed.hands.run = () => {
      statements += 1
      return statements === 1
        ? Promise.reject(new FakeServerError('FAKE_CENSUS_REFUSED', 'permission denied'))
        : new Promise(() => undefined)
    }
    governor.checkin(governed)
    await clock.advance(1_000)
    expect(governed).toMatchObject({ spoilt: true, checking: undefined })
  })
})

describe('a census that fails', () => {
  it.each(['FAKE_RESET', 'FAKE_STARTING'] as const)(
    'with the connection (%s) drops it, and the next one is counted as before',
    async (code) => {
      const { governor, clock, server, open, settle } = governedScene()
      const first = await open()
      first.governed.hands.run = () => Promise.reject(new FakeServerError(code, 'gone'))
      governor.checkin(first.governed)
      await clock.advance(0)
      expect(first.connection.open).toBe(false)
      expect(governor.stats).toMatchObject({ lost: 1, censusRefused: 0 })
      const second = await open()
      await settle(second.governed)
      expect(governor.stats.censuses).toBe(1)
      expect(server.sessions).toEqual([second.connection])
    },
  )

  it('by a lost race is taken again after the next response', async () => {
    const { governor, clock, open, settle } = governedScene()
    const { governed, connection } = await open()
    const { run } = connection
    governed.hands.run = () => Promise.reject(new FakeServerError('FAKE_DEADLOCK', 'try again'))
    await settle(governed)
    expect(governor.stats).toMatchObject({ censuses: 0, censusRefused: 0, lost: 0 })
    governed.hands.run = run
    await clock.advance(100)
    governor.handedOver(governed)
    await settle(governed)
    expect(governor.stats.censuses).toBe(1)
  })

  it('to be answered drops the connection at the limit of a connect, and leaves no timer behind', async () => {
    const { governor, clock, server, open } = governedScene({ lease: 'client', connectTimeoutMs: 1_000 })
    const { governed, connection } = await open()
    server.blackhole()
    governor.checkin(governed)
    await clock.advance(999)
    expect(governed.checking).toBeDefined()
    await clock.advance(1)
    expect(governed.checking).toBeUndefined()
    expect(governed.spoilt).toBe(true)
    expect(connection.open).toBe(false)
    expect(governor.stats.lost).toBe(1)
    await clock.advance(1_000)
    expect(clock.pendingCount).toBe(0)
  })

  it('to make sense counts as refused', async () => {
    const { governor, clock, open } = governedScene()
    const { governed, connection } = await open()
    const { run } = connection
    governed.hands.run = (statement) =>
      statement.includes('census') ? Promise.resolve([]) : run.call(connection, statement)
    governor.checkin(governed)
    await clock.advance(0)
    expect(governor.stats).toMatchObject({ censusRefused: 1, lost: 0 })
    expect(governed.spoilt).toBe(false)
  })
})

describe('a session that turns out not to hold its lease', () => {
  it('is dropped by this side’s judgement from then on, and so are all new ones', async () => {
    const { governor, server, logger, open, settle } = governedScene()
    server.leases = 'ignored'
    const { governed } = await open()
    expect(governed.lease.keeper).toBe('server')
    await settle(governed)
    expect(governed.lease).toMatchObject({ keeper: 'client', leaseMs: 300_000 })
    expect(governor.asksForLease).toBe(false)
    expect(governor.stats).toMatchObject({ leaseRefused: 1, censuses: 1 })
    expect(logger.warnings[0]).toContain('the server does not hold the lease it was asked for')
  })

  it('is counted on as rarely as any other while slots are plenty', async () => {
    const { governor, clock, open, settle } = governedScene({ lease: 'client' })
    const { governed, connection } = await open()
    for (let use = 0; use < 20; use += 1) {
      await settle(governed)
      await clock.advance(20)
      governor.handedOver(governed)
      await connection.run('select 1')
    }
    expect(governor.stats.censuses).toBe(1)
  })
})

describe('a census that somebody asks for', () => {
  it('is taken on an idle connection', async () => {
    const { governor, open, settle, stranger } = governedScene({ censusEveryMs: 600_000 })
    await settle((await open()).governed)
    await stranger()
    await stranger()
    expect(await governor.census()).toMatchObject({ usedCount: 3, slotCount: 26 })
  })

  it('is the newest known one where every connection is in use', async () => {
    const { governor, open, settle, stranger } = governedScene()
    const { governed } = await open()
    await settle(governed)
    governor.handedOver(governed)
    await stranger()
    expect(await governor.census()).toMatchObject({ usedCount: 1 })
    expect(governor.stats.censuses).toBe(1)
  })

  it('is none where there is no connection', async () => {
    expect(await governedScene().governor.census()).toBeUndefined()
  })

  it('is not taken on a session whose lease has lapsed', async () => {
    const { governor, clock, server, open, settle } = governedScene()
    await settle((await open()).governed)
    server.blackhole()
    clock.freeze(3_600_000)
    expect(await governor.census()).toMatchObject({ usedCount: 1 })
  })

  it('is not taken twice at once where housekeeping was about to take one', async () => {
    const { governor, clock, open } = governedScene({}, { roundTripMs: 5 })
    const opening = open()
    await clock.advance(5)
    const { governed } = await opening
    governor.checkin(governed)
    const asked = governor.census()
    await clock.advance(20)
    expect(await asked).toMatchObject({ usedCount: 1 })
    expect(governor.stats.censuses).toBe(1)
    expect(governed.checking).toBeUndefined()
  })
})
