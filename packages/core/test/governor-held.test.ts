import { describe, expect, it } from 'vitest'

import { governedScene } from './governed-scene.ts'

describe('a connection that the application holds', () => {
  it('is never ended by its lease, however long nothing is said on it', async () => {
    const { server, governor, clock, open } = governedScene({ minLeaseMs: 2_000 })
    const { connection } = await open()
    await clock.advance(60_000)
    expect(server.sessions).toContain(connection)
    expect(governor.stats.renewed).toBeGreaterThan(30)
  })

  it('is not pinged while the application talks', async () => {
    const { governor, clock, open } = governedScene({ minLeaseMs: 2_000 })
    const { connection } = await open()
    for (let statement = 0; statement < 20; statement += 1) {
      await connection.run('select 1')
      await clock.advance(500)
    }
    expect(governor.stats.renewed).toBe(0)
  })

  it('is not pinged while a statement runs: the server is not idle then', async () => {
    const { governor, clock, server, open } = governedScene({ minLeaseMs: 2_000 })
    const { connection } = await open()
    const running = connection.run('sleep 30000')
    await clock.advance(30_000)
    await running
    expect(governor.stats.renewed).toBe(0)
    expect(server.sessions).toContain(connection)
  })

  it('costs no timer any more once it is given back', async () => {
    const { governor, clock, open } = governedScene({ lease: 'client' })
    const { governed } = await open()
    await clock.advance(10_000)
    governor.checkin(governed)
    await clock.advance(2_000)
    expect(clock.pendingCount).toBe(0)
    const { renewed } = governor.stats
    await clock.advance(600_000)
    expect(governor.stats.renewed).toBe(renewed)
  })

  it('is renewed again when it is handed over again', async () => {
    const { governor, clock, server, open, settle } = governedScene({ minLeaseMs: 2_000, maxLeaseMs: 4_000 })
    const { governed, connection } = await open()
    await settle(governed)
    await clock.advance(2_500)
    expect(governor.checkout(governed)).toBe('verify')
    expect(await governor.alive(governed)).toBe(true)
    governor.handedOver(governed)
    await clock.advance(60_000)
    expect(server.sessions).toContain(connection)
  })

  it('counts the answer to a renewal even where the adapter does not', async () => {
    const { clock, open } = governedScene({ minLeaseMs: 2_000 })
    const { governed } = await open()
    governed.hands.ping = () => Promise.resolve()
    await clock.advance(1_000)
    expect(governed.lease.idleMs()).toBe(0)
  })

  it('is let go without a word when a renewal fails: the next statement says it best', async () => {
    const { governor, clock, server, logger, open } = governedScene({ minLeaseMs: 2_000 })
    const { connection } = await open()
    server.blackhole()
    await clock.advance(60_000)
    expect(governor.stats.renewed).toBe(1)
    connection.close()
    await clock.advance(1_000)
    expect(logger.errors).toEqual([])
  })

  it('is not renewed where leases are off, and costs no timer', async () => {
    const { governor, clock, open } = governedScene({ lease: 'off' })
    await open()
    expect(clock.pendingCount).toBe(0)
    await clock.advance(600_000)
    expect(governor.stats.renewed).toBe(0)
  })

  it('is forgotten when it leaves the pool in the application’s hands', async () => {
    const { governor, clock, open } = governedScene()
    const { governed } = await open()
    governor.forget(governed)
    expect([...governor.connections]).toEqual([])
    expect(governed).toMatchObject({ spoilt: true, checkedOut: false })
    await clock.advance(600_000)
    expect(governor.stats.renewed).toBe(0)
    expect(clock.pendingCount).toBe(0)
  })
})

describe('an answer of the server', () => {
  it('starts the lease again while the application awaits it', async () => {
    const { clock, open } = governedScene()
    const { governed, connection } = await open()
    await clock.advance(400)
    await connection.run('select 1')
    expect(governed.lease.idleMs()).toBe(0)
  })

  it('counts for nothing when it comes to a connection nobody holds: it may be old', async () => {
    const { governor, clock, open, settle } = governedScene()
    const { governed } = await open()
    await settle(governed)
    await clock.advance(400)
    governor.answered(governed)
    expect(governed.lease.idleMs()).toBe(400)
  })
})
