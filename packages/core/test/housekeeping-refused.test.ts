import { describe, expect, it } from 'vitest'

import { FakeServerError } from '../src/testing/fake-errors.ts'
import { governedScene } from './governed-scene.ts'

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
    for (let use = 0; use < 600; use += 1) {
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
      await clock.advance(10)
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
