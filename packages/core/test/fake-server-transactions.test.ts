import { describe, expect, it } from 'vitest'

import { start } from './fake-server-scene.ts'
import { rejectionOf } from './scene.ts'

describe('a transaction on a fake server', () => {
  it('commits its writes together, and nothing but writes', async () => {
    const { server } = start()
    const session = await server.connect()
    await session.run('insert 0')
    for (const text of ['begin', 'insert 1', 'select 1', 'insert 2']) await session.run(text)
    expect(server.committed).toEqual(['insert 0'])
    await session.run('commit')
    expect(server.committed).toEqual(['insert 0', 'insert 1', 'insert 2'])
  })

  it('leaves nothing where it is rolled back, or its session ends', async () => {
    const { server } = start()
    const session = await server.connect()
    for (const text of ['begin', 'insert 1', 'rollback', 'begin', 'insert 2']) await session.run(text)
    session.close()
    expect(server.committed).toEqual([])
    expect(server.sessions).toEqual([])
  })

  it('takes nothing more after a statement failed, and answers COMMIT with a rollback', async () => {
    const { server } = start()
    const session = await server.connect()
    await session.run('begin')
    await session.run('insert 1')
    server.failNext('FAKE_STATEMENT_FAILED')
    await rejectionOf(session.run('insert 2'))
    expect(await rejectionOf(session.run('select 1'))).toMatchObject({ code: 'FAKE_ABORTED' })
    expect(await session.run('commit')).toEqual(['rolled back'])
    expect(server.committed).toEqual([])
    await session.run('insert 3')
    expect(server.committed).toEqual(['insert 3'])
  })

  it('goes back to a savepoint, after a failure too, and keeps it', async () => {
    const { server } = start()
    const session = await server.connect()
    for (const text of ['begin', 'insert 1', 'savepoint a', 'insert 2', 'savepoint b', 'insert 3'])
      await session.run(text)
    await session.run('rollback to savepoint a')
    expect(await rejectionOf(session.run('release savepoint b'))).toMatchObject({
      code: 'FAKE_STATEMENT_FAILED',
    })
    await session.run('rollback to savepoint a')
    for (const text of ['insert 4', 'release savepoint a', 'commit']) await session.run(text)
    expect(server.committed).toEqual(['insert 1', 'insert 4'])
  })

  it('knows no savepoint outside', async () => {
    const { server } = start()
    const session = await server.connect()
    expect(await rejectionOf(session.run('savepoint a'))).toMatchObject({ code: 'FAKE_STATEMENT_FAILED' })
  })
})

describe('a cut connection', () => {
  it('before the statement leaves it unread; after it, done', async () => {
    const { server } = start()
    server.cutNext('before')
    server.cutNext('after')
    for (const text of ['insert 1', 'insert 2']) {
      const session = await server.connect()
      await session.ping()
      expect(await rejectionOf(session.run(text))).toMatchObject({ code: 'FAKE_RESET' })
      expect(session.open).toBe(false)
    }
    expect(server.statements).toEqual(['insert 2'])
    expect(server.committed).toEqual(['insert 2'])
    expect(server.sessions).toEqual([])
  })

  it('takes no slot where a statement was told that it is lost', async () => {
    const { server } = start()
    const session = await server.connect()
    server.failNext('FAKE_TERMINATED')
    await rejectionOf(session.run('select 1'))
    expect(server.sessions).toEqual([])
  })
})

describe('a cancel on a fake server', () => {
  it('stops the statement that runs, and the session goes on', async () => {
    const { clock, server } = start()
    const session = await server.connect()
    const rejected = rejectionOf(session.run('sleep 1000'))
    await clock.advance(10)
    await session.cancel()
    expect(await rejected).toMatchObject({ code: 'FAKE_CANCELLED' })
    await session.run('insert 1')
    expect(server.committed).toEqual(['insert 1'])
  })

  it('does nothing where nothing runs', async () => {
    const { server } = start()
    const session = await server.connect()
    await session.cancel()
    await session.run('insert 1')
    expect(server.committed).toEqual(['insert 1'])
  })

  it('gets no answer in a black hole', async () => {
    const { server } = start()
    const session = await server.connect()
    server.blackhole()
    const abort = new AbortController()
    const rejected = rejectionOf(session.cancel(abort.signal))
    abort.abort('enough')
    expect(await rejected).toBe('enough')
  })
})
