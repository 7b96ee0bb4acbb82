import { describe, expect, it } from 'vitest'

import { governedScene } from './governed-scene.ts'

describe('a checkout', () => {
  it('is ready at once when the connection was just used', async () => {
    const { governor, clock, open, settle } = governedScene()
    const { governed } = await open()
    await settle(governed)
    await clock.advance(1_000)
    expect(governor.checkout(governed)).toBe('ready')
  })

  it('is to be verified when the connection was idle for longer than the ping threshold', async () => {
    const { governor, clock, open, settle } = governedScene({ pingAfterIdleMs: 500 })
    const { governed } = await open()
    await settle(governed)
    await clock.advance(501)
    expect(governor.checkout(governed)).toBe('verify')
  })

  it('finds the lease lapsed from a margin before its end', async () => {
    const { governor, clock, open, settle } = governedScene({ maxLeaseMs: 60_000 })
    const { governed } = await open()
    await settle(governed)
    await clock.advance(58_999)
    expect(governor.checkout(governed)).toBe('verify')
    await clock.advance(1)
    expect(governor.checkout(governed)).toBe('lapsed')
  })

  it('finds the lease lapsed when the environment was frozen and its monotonic clock stood still', async () => {
    const { governor, clock, open, settle } = governedScene({ maxLeaseMs: 60_000 })
    const { governed } = await open()
    await settle(governed)
    clock.freeze(3_600_000, 0)
    expect(governor.checkout(governed)).toBe('lapsed')
  })

  it('finds the lease lapsed though the epoch clock was set back', async () => {
    const { governor, clock, open, settle } = governedScene({ maxLeaseMs: 60_000 })
    const { governed } = await open()
    await settle(governed)
    clock.setEpochBy(-3_600_000)
    await clock.advance(59_000)
    expect(governor.checkout(governed)).toBe('lapsed')
  })

  it('asks where the server may have granted more than it was asked for', async () => {
    const { governor, clock, open } = governedScene({ exact: false, maxLeaseMs: 60_000 })
    const { governed } = await open()
    clock.freeze(10_000)
    expect(governor.checkout(governed)).toBe('verify')
    clock.freeze(50_000)
    expect(governor.checkout(governed)).toBe('lapsed')
  })

  it('waits for a census that is still under way', async () => {
    const { governor, clock, open } = governedScene({}, { roundTripMs: 5 })
    const opening = open()
    await clock.advance(5)
    const { governed } = await opening
    governor.checkin(governed)
    await clock.advance(1)
    expect(governor.checkout(governed)).toBe('verify')
    await clock.advance(10)
    expect(governor.checkout(governed)).toBe('ready')
  })

  it('never takes a connection that is spoilt', async () => {
    const { governor, open } = governedScene()
    const { governed } = await open()
    governed.spoilt = true
    expect(governor.checkout(governed)).toBe('lapsed')
  })

  it('knows no lapse where leases are off, but pings after a while', async () => {
    const { governor, clock, open, settle } = governedScene({ lease: 'off' })
    const { governed } = await open()
    await settle(governed)
    expect(governor.checkout(governed)).toBe('ready')
    clock.freeze(3_600_000)
    expect(governor.checkout(governed)).toBe('verify')
  })

  it('drops by this side’s judgement alone where the server holds no lease', async () => {
    const { governor, clock, open, settle } = governedScene({ lease: 'client', maxLeaseMs: 60_000 })
    const { governed, connection } = await open()
    await settle(governed)
    expect(connection.server.leaseMs).toBeUndefined()
    clock.freeze(30_000)
    expect(governor.checkout(governed)).toBe('verify')
    clock.freeze(30_000)
    expect(governor.checkout(governed)).toBe('lapsed')
  })

  it('counts as reuse when it is handed over', async () => {
    const { governor, open, settle } = governedScene()
    const { governed } = await open()
    expect(governor.stats).toMatchObject({ opened: 1, reused: 0 })
    await settle(governed)
    governor.handedOver(governed)
    expect(governed.checkedOut).toBe(true)
    expect(governor.stats).toMatchObject({ opened: 1, reused: 1 })
  })
})

describe('a doubtful connection', () => {
  it('is alive when it answers a ping, and its lease starts again from the ping', async () => {
    const { governor, clock, server, open, settle } = governedScene()
    const { governed } = await open()
    await settle(governed)
    clock.freeze(5_000)
    server.roundTripMs = 20
    const alive = governor.alive(governed)
    await clock.advance(20)
    expect(await alive).toBe(true)
    expect(governor.stats.pinged).toBe(1)
    expect(governed.lease.idleMs()).toBe(20)
  })

  it('is dead when the server has ended it', async () => {
    const { governor, server, open, settle } = governedScene()
    const { governed, connection } = await open()
    await settle(governed)
    server.terminate(connection)
    expect(await governor.alive(governed)).toBe(false)
  })

  it('is dead when it answers nothing within the limit of a connect, and leaves no timer behind', async () => {
    const { governor, clock, server, open, settle } = governedScene({ lease: 'off', connectTimeoutMs: 800 })
    const { governed } = await open()
    await settle(governed)
    server.blackhole()
    const alive = governor.alive(governed)
    await clock.advance(800)
    expect(await alive).toBe(false)
    expect(clock.pendingCount).toBe(0)
  })

  it('is not pinged while a census is under way: the census is the answer', async () => {
    const { governor, clock, open } = governedScene({}, { roundTripMs: 5 })
    const opening = open()
    await clock.advance(5)
    const { governed } = await opening
    governor.checkin(governed)
    await clock.advance(1)
    const alive = governor.alive(governed)
    await clock.advance(10)
    expect(await alive).toBe(true)
    expect(governor.stats).toMatchObject({ pinged: 0, censuses: 1 })
  })

  it('is dead when the census under way is lost', async () => {
    const { governor, clock, server, open } = governedScene({}, { roundTripMs: 5 })
    const opening = open()
    await clock.advance(5)
    const { governed, connection } = await opening
    governor.checkin(governed)
    await clock.advance(1)
    const alive = governor.alive(governed)
    server.terminate(connection)
    await clock.advance(10)
    expect(await alive).toBe(false)
  })

  it('is dead when it was spoilt while the census was under way', async () => {
    const { governor, clock, open } = governedScene({}, { roundTripMs: 5 })
    const opening = open()
    await clock.advance(5)
    const { governed } = await opening
    governor.checkin(governed)
    await clock.advance(1)
    const alive = governor.alive(governed)
    governed.spoilt = true
    await clock.advance(10)
    expect(await alive).toBe(false)
  })
})
