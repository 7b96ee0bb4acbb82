import { describe, expect, it } from 'vitest'

import { viewOf } from '../src/census.ts'
import { leaseFor } from '../src/policy.ts'
import { fakeDialect } from '../src/testing/fake-dialect.ts'
import { ladder, start } from './fake-server-scene.ts'
import { rejectionOf } from './scene.ts'

describe('the slots of a fake server', () => {
  it('are taken by sessions, and no more are let in than there are', async () => {
    const { server } = start()
    for (let session = 0; session < 3; session += 1) await server.connect()
    expect(await rejectionOf(server.connect())).toMatchObject({ code: 'FAKE_NO_SLOT' })
    expect(server.sessions).toHaveLength(3)
    expect(server.refusedCount).toBe(1)
  })

  it('are free again when a session is closed', async () => {
    const { server } = start({ slotCount: 1 })
    const session = await server.connect()
    session.close()
    expect(server.sessions).toEqual([])
    await server.connect()
  })

  it('are held by zombies until their lease runs out, though nobody is there any more', async () => {
    const { clock, server } = start({ slotCount: 1 })
    const session = await server.connect({ leaseMs: 2_000 })
    session.vanish()
    expect(session.open).toBe(false)
    expect(await rejectionOf(server.connect())).toMatchObject({ code: 'FAKE_NO_SLOT' })
    clock.freeze(2_000)
    await server.connect()
  })

  it('may become more or fewer while it runs; nobody loses one', async () => {
    const { server } = start({ slotCount: 2 })
    await server.connect()
    await server.connect()
    server.slotCount = 1
    expect(server.sessions).toHaveLength(2)
    server.slotCount = 3
    await server.connect()
  })
})

describe('a lease on a fake server', () => {
  it('ends a session that sat idle for as long, and tells an idle client of it', async () => {
    const { clock, server } = start()
    const session = await server.connect({ leaseMs: 2_000 })
    const heard: string[] = []
    session.onEnd(({ code }) => heard.push(code))
    await clock.advance(1_999)
    expect(session.open).toBe(true)
    await clock.advance(1)
    expect(session.open).toBe(false)
    expect(heard).toEqual(['FAKE_LAPSED'])
    expect(server.sessions).toEqual([])
  })

  it('starts again with every statement', async () => {
    const { clock, server } = start()
    const session = await server.connect({ leaseMs: 2_000 })
    for (let statement = 0; statement < 10; statement += 1) {
      await clock.advance(1_500)
      await session.run('select 1')
    }
    expect(session.open).toBe(true)
    await clock.advance(2_000)
    expect(session.open).toBe(false)
  })

  it('does not run while a statement does', async () => {
    const { clock, server } = start()
    const session = await server.connect({ leaseMs: 2_000 })
    const running = session.run('sleep 10000')
    await clock.advance(10_000)
    await running
    expect(session.open).toBe(true)
  })

  it('runs on while the client is frozen, and its next statement meets the end', async () => {
    const { clock, server } = start()
    const session = await server.connect({ leaseMs: 2_000 })
    clock.freeze(60_000, 0)
    expect(server.sessions).toEqual([])
    expect(session.open).toBe(true)
    expect(await rejectionOf(session.run('select 1'))).toMatchObject({ code: 'FAKE_LAPSED' })
    expect(session.open).toBe(false)
  })

  it('may be changed by a statement, sooner or later', async () => {
    const { clock, server } = start()
    const session = await server.connect({ leaseMs: 2_000 })
    await session.run(fakeDialect.setLease(10_000, 2_000))
    await clock.advance(9_999)
    expect(session.open).toBe(true)
    await session.run(fakeDialect.setLease(500, 2_000))
    await clock.advance(500)
    expect(session.open).toBe(false)
  })

  it('that is refused at start-up costs the connect, and the dialect knows why', async () => {
    const { server } = start()
    server.leases = 'refused'
    const error = await rejectionOf(server.connect({ leaseMs: 2_000 }))
    expect(fakeDialect.refusesLease(error)).toBe(true)
    expect(fakeDialect.classify(error)).toBe('fatal')
    await server.connect()
  })

  it('that is ignored is not held', async () => {
    const { clock, server } = start()
    server.leases = 'ignored'
    const session = await server.connect({ leaseMs: 2_000 })
    await session.run(fakeDialect.setLease(500, 2_000))
    await clock.advance(60_000)
    expect(session.open).toBe(true)
  })

  it('leaves one timer a session, however often it is changed back and forth', async () => {
    const { clock, server } = start()
    const session = await server.connect({ leaseMs: 500 })
    for (let round = 0; round < 20; round += 1) {
      await session.run(fakeDialect.setLease(round % 2 === 0 ? 900 : 500, 2_000))
      await clock.advance(100)
    }
    await clock.advance(5_000)
    expect(clock.pendingCount).toBe(0)
  })
})

describe('a census on a fake server', () => {
  it('counts sessions, slots, labels and refusals', async () => {
    const { server } = start()
    const session = await server.connect({ label: 'lh:a:0:0:x' })
    await server.connect()
    await server.connect({ label: 'lh:b:0:0:y' })
    await rejectionOf(server.connect())
    const { census } = fakeDialect.parseCensus(await session.run(fakeDialect.censusAndLease(5, ladder)))
    expect(census).toEqual({
      usedCount: 3,
      slotCount: 3,
      labels: ['lh:a:0:0:x', 'lh:b:0:0:y'],
      refusedCount: 1,
    })
  })

  it('sets the lease that the policy would set for the same counts', async () => {
    for (let usedCount = 1; usedCount <= 20; usedCount += 1) {
      const { server } = start({ slotCount: 20 })
      const session = await server.connect({ leaseMs: 2_000 })
      for (let other = 1; other < usedCount; other += 1) await server.connect()
      const rows = await session.run(fakeDialect.censusAndLease(2_000, ladder))
      const { census, leaseMs } = fakeDialect.parseCensus(rows)
      expect(leaseMs).toBe(leaseFor(viewOf(census, 'leasehold', 0, undefined), ladder))
      expect(session.server.leaseMs).toBe(leaseMs)
    }
  })

  it('changes nothing on a session that does not hold the lease it is believed to hold', async () => {
    const { server } = start()
    const session = await server.connect({ leaseMs: 7_000 })
    const rows = await session.run(fakeDialect.censusAndLease(2_000, ladder))
    expect(fakeDialect.parseCensus(rows).leaseMs).toBeUndefined()
    expect(session.server.leaseMs).toBe(7_000)
  })

  it('may be refused', async () => {
    const { server } = start()
    server.answersCensus = false
    const session = await server.connect()
    const error = await rejectionOf(session.run(fakeDialect.censusAndLease(2_000, ladder)))
    expect(error).toMatchObject({ code: 'FAKE_CENSUS_REFUSED' })
    expect(session.open).toBe(true)
  })

  it.each([[[]], [[{}]], [[null]], [[5]]])('is not read out of anything else: %j', (rows) => {
    expect(() => fakeDialect.parseCensus(rows)).toThrow('one row of counts')
  })
})

describe('a statement on a fake server', () => {
  it('gets the rows that the test replies, and is written down', async () => {
    const { server } = start({ reply: (statement, session) => [{ statement, id: session.id }] })
    const session = await server.connect()
    expect(await session.run('select 1')).toEqual([{ statement: 'select 1', id: 1 }])
    expect(server.statements).toEqual(['select 1'])
  })

  it('waits for those sent before it, and the session is quiet only when all are answered', async () => {
    const { clock, server } = start({ roundTripMs: 10 })
    const connecting = server.connect()
    await clock.advance(10)
    const session = await connecting
    const order: string[] = []
    const all = Promise.all(
      ['a', 'b', 'c'].map(async (text) => {
        await session.run(text)
        order.push(text)
      }),
    )
    await clock.advance(20)
    expect(order).toEqual(['a', 'b'])
    expect(session.quiet()).toBe(false)
    await clock.advance(10)
    await all
    expect(session.quiet()).toBe(true)
  })

  it('marks a transaction', async () => {
    const { server } = start()
    const session = await server.connect()
    await session.run('BEGIN')
    await session.run('select 1')
    expect(session.inTransaction()).toBe(true)
    await session.run('commit')
    expect(session.inTransaction()).toBe(false)
  })

  it('that writes fails while the server is read-only; others do not', async () => {
    const { server } = start()
    const session = await server.connect()
    server.readOnly = true
    const error = await rejectionOf(session.run('insert into orders values (1)'))
    expect(fakeDialect.classify(error)).toBe('read-only')
    await session.run('select 1')
  })

  it('fails as it is told to, once each time it is told', async () => {
    const { server } = start()
    const session = await server.connect()
    server.failNext('FAKE_DEADLOCK')
    expect(fakeDialect.classify(await rejectionOf(session.run('select 1')))).toBe('transient')
    await session.run('select 1')
    expect(session.open).toBe(true)
  })

  it('under way when the session is ended fails with the reason of the end', async () => {
    const { clock, server } = start()
    const session = await server.connect()
    const running = rejectionOf(session.run('sleep 1000'))
    await clock.advance(10)
    server.terminate(session)
    await clock.advance(0)
    expect(await running).toMatchObject({ code: 'FAKE_TERMINATED' })
    expect(fakeDialect.classify(await running)).toBe('lost')
  })

  it('fails with a reset when this side closes the connection, those in the queue too', async () => {
    const { clock, server } = start()
    const session = await server.connect()
    const running = [rejectionOf(session.run('sleep 1000')), rejectionOf(session.run('select 1'))]
    await clock.advance(10)
    session.close()
    for (const error of await Promise.all(running)) expect(error).toMatchObject({ code: 'FAKE_RESET' })
    expect(server.statements).toEqual(['sleep 1000'])
    expect(clock.pendingCount).toBe(0)
  })
})
