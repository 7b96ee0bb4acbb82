import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { afterEach, describe, expect, it } from 'vitest'

import { type EventField, EVENTS, eventsTable, HOOK_NAMES, type Hooks } from '../src/events.ts'
import { resolveOptions } from '../src/options/resolve.ts'
import type { FakePoolOptions } from '../src/testing/fake-pool.ts'
import type { FakeServerOptions } from '../src/testing/fake-server-options.ts'
import { transaction } from '../src/testing/transaction.ts'
import { type PoolScene, start } from './fake-pool-scene.ts'

type Told = [name: string, event: Readonly<Record<string, unknown>>]

const ending: (() => void)[] = []
afterEach(() => {
  for (const end of ending.splice(0)) end()
})

/** A pool whose events all arrive, by channel and by hook. */
function listening(
  options: FakePoolOptions = {},
  serverOptions: FakeServerOptions = {},
): PoolScene & { byChannel: Told[]; byHook: Told[]; names(): string[] } {
  const byChannel: Told[] = []
  const byHook: Told[] = []
  for (const { channel } of Object.values<EventField>(EVENTS)) {
    const hear = (event: unknown): void => void byChannel.push([channel, event as Told[1]])
    subscribe(channel, hear)
    ending.push(() => unsubscribe(channel, hear))
  }
  const hooks = Object.fromEntries(
    HOOK_NAMES.map((name) => [name, (event: Told[1]) => void byHook.push([name, event])]),
  ) as Hooks
  const scene = start({ hooks, ...options }, serverOptions)
  return {
    ...scene,
    byChannel,
    byHook,
    names: () => byChannel.splice(0).map(([name]) => name.replace('leasehold:', '')),
  }
}

describe('the list of events', () => {
  it('has a channel for each, and a hook for all but those of every request', () => {
    const fields = Object.entries<EventField>(EVENTS)
    expect(new Set(fields.map(([, { channel }]) => channel)).size).toBe(fields.length)
    for (const [, { channel }] of fields) expect(channel).toMatch(/^leasehold(:[a-z-]+){1,2}$/)
    const hookless = fields.flatMap(([name, { hook }]) => (hook === undefined ? [name] : []))
    expect(hookless).toEqual(['checkout', 'checkin'])
    for (const row of eventsTable().split('\n')) expect(row.split('|')).toHaveLength(5)
  })
})

describe('the events of a connection', () => {
  it('tell of its whole life, in its order', async () => {
    const { clock, names, pool } = listening({ maxLeaseMs: 10_000 })
    await pool.query('select 1')
    expect(names()).toEqual(['connection:open', 'connection:checkin'])
    await clock.advance(0)
    expect(names()).toEqual(['census', 'connection:lease'])
    await pool.query('select 1')
    expect(names()).toEqual(['connection:checkout', 'connection:checkin'])
    await clock.advance(10_000)
    expect(names()).toEqual(['connection:close', 'connection:lapse'])
  })

  it('say which connection, and where', async () => {
    const { byChannel, byHook, pool } = listening({ fleet: 'shop', max: 2 })
    const clients = await Promise.all([pool.connect(), pool.connect()])
    for (const client of clients) client.release()
    expect(byHook.map(([name, { connection }]) => [name, connection])).toEqual([
      ['onConnect', 1],
      ['onConnect', 2],
    ])
    expect(byHook[0]?.[1]).toEqual({
      fleet: 'shop',
      engine: 'postgresql',
      target: 'unknown',
      connection: 1,
      durationMs: expect.any(Number) as number,
      leaseMs: 2_000,
      keeper: 'server',
    })
    expect(Object.isFrozen(byChannel[0]?.[1])).toBe(true)
  })

  it('tell of refusals and of giving up', async () => {
    const { byHook, clock, pool, server } = listening({ acquireTimeoutMs: 500 }, { slotCount: 1 })
    await server.connect({ label: 'a stranger' })
    const rejected = pool.query('select 1').catch(() => undefined)
    await clock.advance(1_000)
    await rejected
    const [first] = byHook
    expect(first).toEqual(['onRetry', expect.objectContaining({ kind: 'saturated', attempts: 1 })])
    expect(byHook.at(-1)).toEqual([
      'onGiveUp',
      expect.objectContaining({ kind: 'saturated', code: expect.any(String) as string }),
    ])
  })

  it('tell of a pool that stayed busy', async () => {
    const { byHook, clock, pool } = listening({ acquireTimeoutMs: 500 })
    const client = await pool.connect()
    const rejected = pool.connect().catch(() => undefined)
    await clock.advance(500)
    await rejected
    client.release()
    expect(byHook.at(-1)).toEqual(['onGiveUp', expect.objectContaining({ kind: 'busy', waitedMs: 500 })])
  })

  it('tell of a statement of which nobody knows whether it ran, once', async () => {
    const { byHook, pool, server } = listening()
    await pool.query('select 1')
    server.cutNext('after')
    await pool.query('insert 1').catch(() => undefined)
    const told = byHook.filter(([name]) => name === 'onAmbiguousLoss')
    expect(told).toEqual([['onAmbiguousLoss', expect.objectContaining({ code: 'FAKE_RESET' })]])
    expect(pool.leasehold.stats().ambiguous).toBe(1)
  })

  it('tell of a statement that is sent again', async () => {
    const { byHook, pool, server } = listening()
    await pool.query('select 1')
    server.cutNext('before')
    await pool.query('insert 1', { idempotent: true })
    expect(byHook.map(([name]) => name)).toContain('onReplay')
    expect(server.committed).toEqual(['insert 1'])
  })

  it('tell of a statement that is cancelled', async () => {
    const { byHook, clock, pool } = listening({}, { roundTripMs: 1_000 })
    const opened = pool.connect()
    await clock.advance(3_000)
    const client = await opened
    const rejected = client.query('select 1', { queryTimeoutMs: 100 }).catch(() => undefined)
    await clock.advance(5_000)
    await rejected
    client.release()
    expect(byHook).toContainEqual(['onCancel', expect.objectContaining({ timeoutMs: 100 })])
  })

  it('tell of a transaction that is run again', async () => {
    const { byHook, clock, pool, server } = listening()
    let runs = 0
    const done = transaction(pool, async (client) => {
      runs += 1
      if (runs === 1) server.failNext('FAKE_DEADLOCK')
      await client.query('insert 1')
    })
    await clock.advance(1_000)
    await done
    expect(byHook).toContainEqual(['onRerun', expect.objectContaining({ code: 'FAKE_DEADLOCK', runs: 1 })])
  })

  it('tell of one that was left over from another invocation', async () => {
    const { byHook, pool } = listening()
    const enter = (awsRequestId: string): void => {
      pool.leasehold.enter({ awsRequestId, getRemainingTimeInMillis: () => 3_000 })
    }
    enter('one')
    await pool.connect()
    enter('two')
    expect(byHook.map(([name]) => name)).toEqual(['onConnect', 'onClose', 'onReclaim'])
  })
})

describe('a hook', () => {
  it('that throws or rejects changes nothing, and is a line in the log', async () => {
    const hooks: Hooks = {
      onConnect: () => {
        throw new Error('hook')
      },
      onCensus: async () => Promise.reject(new Error('hook')),
    }
    const { clock, logger, pool } = start({ hooks })
    await pool.query('select 1')
    await clock.advance(0)
    expect(logger.warnings).toEqual([
      'leasehold: the hook `onConnect` failed; what it threw is dropped',
      'leasehold: the hook `onCensus` failed; what it threw is dropped',
    ])
  })

  it('may ask the pool at once: what it is told of is done, and it gets another connection', async () => {
    const given: number[] = []
    const scene = start({
      max: 2,
      hooks: {
        onReclaim: ({ connection }) => {
          given.push(connection)
          void scene.pool.connect().then((client) => given.push(client.governed.number))
        },
      },
    })
    const { pool } = scene
    pool.leasehold.enter({ awsRequestId: 'one', getRemainingTimeInMillis: () => 3_000 })
    const client = await pool.connect()
    await client.query('begin')
    client.release()
    pool.leasehold.enter({ awsRequestId: 'two', getRemainingTimeInMillis: () => 3_000 })
    await scene.clock.advance(0)
    expect(given).toEqual([1, 2])
    expect(pool.leasehold.stats().reclaimed).toBe(1)
  })

  it('may ask the pool at once where a census finds the connection dead', async () => {
    const given: number[] = []
    const scene = start({
      connectTimeoutMs: 300,
      hooks: {
        onLost: ({ connection }) => {
          given.push(connection)
          void scene.pool.connect().then((client) => given.push(client.governed.number))
        },
      },
    })
    const { clock, pool } = scene
    const client = await pool.connect()
    client.governed.hands.run = () => new Promise(() => {})
    client.release()
    await clock.advance(0)
    await clock.advance(300)
    expect(given).toEqual([1, 2])
    expect(pool.leasehold.stats()).toMatchObject({ lost: 1, lapsed: 0 })
  })

  it('must be a function, and one of those there are', () => {
    const wrong = { hooks: { onConnected: () => undefined, onRetry: 'log' } } as never
    expect(() => resolveOptions(wrong)).toThrow(
      [
        'invalid options:',
        'unknown option `hooks.onConnected` (did you mean `hooks.onConnect`?)',
        '`hooks.onRetry` must be a function, got a string of 3 characters',
      ].join('\n - '),
    )
    expect(() => resolveOptions({ hooks: 1 } as never)).toThrow(
      '`hooks` must be an object of functions, got 1',
    )
  })
})

describe('an event that nobody listens to', () => {
  it('is not even made', async () => {
    const { pool } = start()
    pool.governor.observations.diagnostics.tell('loss', () => {
      throw new Error('made for nobody')
    })
  })
})
