import { describe, expect, it } from 'vitest'

import { fakeDialect } from '../src/testing/fake-dialect.ts'
import { FakeServerError } from '../src/testing/fake-errors.ts'
import { FakeServer } from '../src/testing/fake-server.ts'
import { start } from './fake-server-scene.ts'
import { rejectionOf } from './scene.ts'

describe('a fake server that goes wrong', () => {
  it('refuses a wrong password', async () => {
    const { server } = start({ password: 'right' })
    const error = await rejectionOf(server.connect({ password: 'wrong' }))
    expect(fakeDialect.classify(error)).toBe('auth')
    await server.connect({ password: 'right' })
    server.password = 'rotated'
    expect(await rejectionOf(server.connect({ password: 'right' }))).toMatchObject({
      code: 'FAKE_WRONG_PASSWORD',
    })
  })

  it('is down for a while when it is restarted, and then counts from nothing', async () => {
    const { clock, server } = start({ slotCount: 1 })
    const session = await server.connect()
    await rejectionOf(server.connect())
    server.restart(5_000)
    await clock.advance(0)
    expect(session.open).toBe(false)
    expect(fakeDialect.classify(await rejectionOf(server.connect()))).toBe('starting')
    await clock.advance(5_000)
    await server.connect()
    expect(server.refusedCount).toBe(0)
  })

  it('answers nothing in a black hole, and hears of no end', async () => {
    const { clock, server } = start()
    const session = await server.connect({ leaseMs: 60_000 })
    server.blackhole()
    let settled = false
    const running = rejectionOf(session.run('select 1')).finally(() => {
      settled = true
    })
    await clock.advance(30_000)
    expect(settled).toBe(false)
    session.close()
    expect(await running).toMatchObject({ code: 'FAKE_RESET' })
    expect(server.sessions).toEqual([session])
    await clock.advance(30_000)
    expect(server.sessions).toEqual([])
  })

  it('stays lost to what went into the black hole, but not to new connects', async () => {
    const { clock, server } = start()
    const old = await server.connect()
    server.blackhole()
    server.resume()
    const young = await server.connect()
    await young.run('select 1')
    const controller = new AbortController()
    const settled: string[] = []
    old.run('select 1').then(
      () => settled.push('answered'),
      () => settled.push('failed'),
    )
    await clock.advance(600_000)
    expect(settled).toEqual([])
    controller.abort()
  })

  it('gives a connect in a black hole up only by its signal', async () => {
    const { clock, server } = start()
    server.blackhole()
    const controller = new AbortController()
    const connecting = rejectionOf(server.connect({ signal: controller.signal }))
    await clock.advance(60_000)
    controller.abort(new Error('enough'))
    expect(await connecting).toMatchObject({ message: 'enough' })
    expect(server.sessions).toEqual([])
  })

  it('tells both sides of a reset', async () => {
    const { clock, server } = start()
    const session = await server.connect()
    server.reset()
    await clock.advance(0)
    expect(session.open).toBe(false)
    expect(server.sessions).toEqual([])
  })

  it('leaves no session behind when a connect under way is aborted', async () => {
    const { clock, server } = start({ connectMs: 100 })
    const controller = new AbortController()
    const connecting = rejectionOf(server.connect({ signal: controller.signal }))
    await clock.advance(50)
    expect(server.sessions).toHaveLength(1)
    controller.abort(new Error('enough'))
    await connecting
    expect(server.sessions).toEqual([])
    expect(clock.pendingCount).toBe(0)
  })

  it('says in its errors nothing but a code and a sentence', () => {
    const error = new FakeServerError('FAKE_NO_SLOT', 'too many connections')
    expect(Object.keys(error).toSorted()).toEqual(['code', 'name'])
    expect(fakeDialect.classify(error)).toBe('saturated')
    expect(fakeDialect.classify(new Error('something else'))).toBe('fatal')
  })
})

describe('a session outside a pool', () => {
  it('counts as idle while nothing runs on it, and closes when it is yielded or dropped', async () => {
    const { clock, server } = start()
    const [one, other] = [await server.connect(), await server.connect()]
    const running = one.run('sleep 10')
    expect(one.idle()).toBe(false)
    await clock.advance(10)
    await running
    expect(one.idle()).toBe(true)
    one.yield()
    other.drop()
    expect([one.open, other.open, one.idle()]).toEqual([false, false, false])
    expect(server.sessions).toEqual([])
  })

  it('tells of every answer, errors included, but not of an end of its own making', async () => {
    const { server } = start()
    const session = await server.connect()
    const heard: string[] = []
    session.onAnswer(() => heard.push('answer'))
    session.onEnd(() => heard.push('end'))
    await session.run('select 1')
    await session.ping()
    server.failNext('FAKE_STATEMENT_FAILED')
    await rejectionOf(session.run('select x'))
    session.close()
    session.close()
    expect(heard).toEqual(['answer', 'answer', 'answer'])
  })
})

describe('a fake server on the system clock', () => {
  it('answers without any advance', async () => {
    const server = new FakeServer()
    const session = await server.connect()
    await session.run('select 1')
    session.close()
    expect(server.sessions).toEqual([])
  })
})
