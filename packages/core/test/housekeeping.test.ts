import { describe, expect, it } from 'vitest'

import { formatLabel } from '../src/label.ts'
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
    expect(leases.at(-1)).toBe(500)
    expect(leases).toEqual(leases.toSorted((left, right) => right - left))
    expect(new Set(leases).size).toBe(7)
  })

  it('the lease is short at once when newcomers had to wait, though slots are free', async () => {
    const { clock, open, settle, stranger } = governedScene({ targetPressure: 0.95 }, { slotCount: 6 })
    const label = { fleet: 'leasehold', name: 'other', waitedMs: 700, openedEpochMs: clock.epochMs() }
    for (let index = 0; index < 4; index += 1) await stranger(formatLabel(label))
    const { governed, connection } = await open()
    await settle(governed)
    expect(governed.lease.leaseMs).toBe(500)
    expect(connection.server.leaseMs).toBe(500)
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
    expect(heldMs).toBeGreaterThanOrEqual(governed.quantumMs)
    expect(heldMs).toBeLessThan(governed.quantumMs + 20)
    expect(governor.stats).toMatchObject({ yielded: 1, lost: 0 })
  })

  it('is kept where it turns out at the last moment that the application has it again', async () => {
    const { governor, clock, open, stranger } = governedScene({}, { slotCount: 2, roundTripMs: 5 })
    const openings = [stranger(), open()] as const
    await clock.advance(5)
    const { governed, connection } = await openings[1]
    clock.freeze(300)
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
