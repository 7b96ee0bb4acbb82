// Every channel of the docs is heard of on real servers, and so is its hook: what happens there is brought about here.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  createPool as createMysqlPool,
  type PoolOptions as MysqlOptions,
  transaction as mysqlTransaction,
} from '@leasehold/mysql-adapter'
import { createPool as createPgPool, type PoolOptions, transaction } from '@leasehold/pg-adapter'
import { type DatabaseServer, type Relay, startMariadb, startRelay } from '@leasehold/test-databases'
import mysql2 from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { type EventField, type EventName, EVENTS, HOOK_NAMES } from '../../packages/core/src/events.ts'
import type { PoolGovernance } from '../../packages/core/src/governance.ts'
import { eventually } from './eventually.ts'
import { postgresUnderTest } from './postgresql/server.ts'
import { quietLog } from './quiet-log.ts'
import { serverUnderTest, type ServerUnderTest } from './server.ts'

type Options = Pick<
  PoolOptions & MysqlOptions,
  'hooks' | 'logger' | 'minLeaseMs' | 'maxLeaseMs' | 'targetPressure' | 'acquireTimeoutMs'
>

/** How one statement is asked for. */
interface Ask {
  readonly idempotent?: boolean
  readonly queryTimeoutMs?: number
}

/** A pool of one connection, whatever the driver. */
interface Asked {
  readonly leasehold: PoolGovernance
  query(sql: string, how?: Ask): Promise<unknown>
  /** Takes the connection, and keeps it. */
  hold(): Promise<{ query(sql: string): Promise<unknown>; release(): void }>
  /** Runs `sql` in a transaction. */
  transact(sql: () => string): Promise<unknown>
  end(): Promise<unknown>
}

interface Engine {
  readonly engine: string
  /** What is said of it before it says what it is. */
  readonly protocol: string
  readonly under: () => ServerUnderTest
  readonly open: (target: object, options: Options) => Asked
  readonly ownId: string
  readonly sleep: string
  /** Ends in an error where its session is ended. */
  readonly long: string
  readonly loseRace: string
  /** Turns the server read-only for the next write on `held`. */
  readonly turnReadOnly: (
    server: DatabaseServer,
    held: { query(sql: string): Promise<unknown> },
  ) => Promise<unknown>
  readonly turnWritable: (server: DatabaseServer) => Promise<unknown>
}

const ENGINES: Readonly<Record<string, Engine>> = {
  PostgreSQL: {
    engine: 'postgresql',
    protocol: 'postgresql',
    under: postgresUnderTest,
    open: (target, options) => {
      const pool = createPgPool({ ...target, ...options, max: 1 })
      return {
        leasehold: pool.leasehold,
        query: async (text, how) => (await pool.query({ text, ...how })).rows,
        hold: () => pool.connect(),
        transact: (sql) => transaction(pool, (client) => client.query(sql())),
        end: () => pool.end(),
      }
    },
    ownId: 'select pg_backend_pid() as id',
    sleep: 'select pg_sleep(5)',
    long: 'select pg_sleep(5)',
    loseRace: "do $$ begin raise exception 'a lost race' using errcode = '40001'; end $$",
    turnReadOnly: (_server, held) => held.query('set default_transaction_read_only = on'),
    turnWritable: async () => {},
  },
  MariaDB: {
    engine: 'mariadb',
    protocol: 'mysql',
    under: () =>
      serverUnderTest(
        async () => {
          const server = await startMariadb({ maxConnections: 12 })
          // Else none is recalled that has not been idle for longer than a function may run.
          await server.admin(`grant process on *.* to '${server.login.user}'@'%'`)
          return server
        },
        async (target) => {
          try {
            return await mysql2.createConnection({ ...target })
          } catch (error) {
            if ((error as { code?: string }).code === 'ER_CON_COUNT_ERROR') return undefined
            throw error
          }
        },
      ),
    open: (target, options) => {
      const governed = createMysqlPool({ ...target, ...options, connectionLimit: 1 })
      const pool = governed.promise()
      return {
        leasehold: governed.leasehold,
        query: async (sql, how) => (await pool.query({ sql, ...how }))[0],
        hold: () => pool.getConnection(),
        transact: (sql) => mysqlTransaction(governed, (connection) => connection.query(sql())),
        end: () => pool.end(),
      }
    },
    ownId: 'select connection_id() as id',
    sleep: 'select sleep(5)',
    // Not a sleep, which the server ends with a result.
    long: 'select count(*) from information_schema.columns a, information_schema.columns b, information_schema.columns c',
    loseRace: "signal sqlstate '40001' set mysql_errno = 1213, message_text = 'a lost race'",
    turnReadOnly: (server) => server.admin('set global read_only = on'),
    turnWritable: (server) => server.admin('set global read_only = off'),
  },
}

interface Scene extends Engine {
  readonly server: ServerUnderTest
  /** Through which all pools connect. */
  readonly relay: Relay
  pool(options?: Options): Asked
  /** Whether the event has come. */
  isHeard(): boolean
}

/** Ends the session of `pool` while `asked` runs on it, or while it is idle: on the server, or on the way to it. */
async function cut(
  { ownId, server }: Scene,
  pool: Asked,
  asked?: () => Promise<unknown>,
  relay?: Relay,
): Promise<void> {
  const [row] = (await pool.query(ownId)) as [{ id: number }]
  await pool.leasehold.census()
  asked?.().catch(() => undefined)
  await eventually('the session is as it should be', async () =>
    (await server.server.sessions()).some(({ id, idle }) => id === row.id && idle === (asked === undefined)),
  )
  if (relay === undefined) await server.server.terminate(row.id)
  else relay.reset()
}

const entering = (awsRequestId: string): Parameters<PoolGovernance['enter']>[0] => ({
  awsRequestId,
  getRemainingTimeInMillis: () => 5_000,
})

/** What brings each event about. */
const SCENES: Readonly<Record<EventName, (scene: Scene) => Promise<unknown>>> = {
  open: ({ pool }) => pool().query('select 1'),
  checkout: async ({ pool }) => {
    const one = pool()
    await one.query('select 1')
    await one.query('select 1')
  },
  checkin: ({ pool }) => pool().query('select 1'),
  lease: ({ pool }) => pool().query('select 1'),
  census: ({ pool }) => pool().query('select 1'),
  lapse: ({ pool }) => pool({ minLeaseMs: 1_000, maxLeaseMs: 1_000 }).query('select 1'),
  lost: (scene) => cut(scene, scene.pool()),
  close: async ({ pool }) => {
    const one = pool()
    await one.query('select 1')
    one.leasehold.drain()
  },
  evict: async ({ pool, server, turnReadOnly }) => {
    const held = await pool().hold()
    await turnReadOnly(server.server, held)
    await held.query('create table no_such_place (id int)').catch(() => undefined)
    held.release()
  },
  yield: async ({ isHeard, pool, server }) => {
    const free = await server.fill()
    await free(1)
    const one = pool()
    await eventually('a session that is seldom used is given up', async () => {
      await one.query('select 1')
      await sleep(250)
      return isHeard()
    })
  },
  reclaim: async ({ pool }) => {
    const one = pool()
    one.leasehold.enter(entering('one'))
    await one.hold()
    one.leasehold.enter(entering('two'))
  },
  retry: async ({ isHeard, pool, server }) => {
    const free = await server.fill()
    const asked = pool().query('select 1')
    await eventually('an attempt is refused', isHeard)
    await free()
    await asked
  },
  giveUp: async ({ pool, server }) => {
    await server.fill()
    await pool({ acquireTimeoutMs: 400 })
      .query('select 1')
      .catch(() => undefined)
  },
  reap: async ({ isHeard, pool }) => {
    const [reaper, other] = [pool({ minLeaseMs: 60_000 }), pool({ minLeaseMs: 60_000 })]
    await reaper.query('select 1')
    await other.query('select 1')
    await eventually('it has been idle for long enough', async () => {
      await sleep(100)
      await reaper.leasehold.reap()
      return isHeard()
    })
  },
  replay: async (scene) => {
    const one = scene.pool()
    await cut(scene, one, () => one.query(scene.long, { idempotent: true }))
  },
  loss: async (scene) => {
    const one = scene.pool()
    // The server would say that it ended the statement.
    await cut(scene, one, () => one.query(scene.sleep), scene.relay)
  },
  cancel: ({ pool, sleep: sleeping }) =>
    pool()
      .query(sleeping, { queryTimeoutMs: 150 })
      .catch(() => undefined),
  rerun: ({ loseRace, pool }) => {
    let runs = 0
    return pool().transact(() => {
      runs += 1
      return runs === 1 ? loseRace : 'select 1'
    })
  },
}

/** What each event tells besides where it happened. */
const TOLD: Readonly<Record<EventName, readonly string[]>> = {
  open: ['connection', 'durationMs', 'leaseMs', 'keeper'],
  checkout: ['connection'],
  checkin: ['connection'],
  lease: ['connection', 'leaseMs', 'keeper'],
  lapse: ['connection'],
  lost: ['connection'],
  evict: ['connection'],
  yield: ['connection', 'pressure'],
  reclaim: ['connection'],
  close: ['connection', 'ageMs'],
  retry: ['kind', 'code', 'attempts', 'delayMs'],
  giveUp: ['kind', 'code', 'attempts', 'waitedMs', 'pressure'],
  census: ['usedCount', 'slotCount', 'pressure'],
  reap: ['endedCount'],
  replay: ['code', 'sentCount'],
  cancel: ['timeoutMs'],
  loss: ['code'],
  rerun: ['code', 'runs'],
}

const UNGREETED: readonly string[] = ['retry', 'giveUp'] satisfies EventName[]

describe.each(Object.entries(ENGINES))('on %s', (_name, engine) => {
  const server = engine.under()
  const ending: (() => unknown)[] = []
  let relay: Relay
  beforeAll(async () => {
    relay = await startRelay(server.server)
  })
  afterAll(() => relay.close())
  afterEach(async () => {
    // What was cut may not end well.
    for (const end of ending.splice(0)) void Promise.resolve(end()).catch(() => undefined)
    await engine.turnWritable(server.server)
  })

  it.each(Object.entries<EventField>(EVENTS))('%s is told of', async (name, { channel, hook }) => {
    const byChannel: object[] = []
    const byHook: [string, object][] = []
    const hear = (event: unknown): void => void byChannel.push(event as object)
    subscribe(channel, hear)
    ending.push(() => unsubscribe(channel, hear))
    const hooks = Object.fromEntries(
      HOOK_NAMES.map((known) => [known, (event: object) => void byHook.push([known, event])]),
    )
    const scene: Scene = {
      ...engine,
      server,
      relay,
      isHeard: () => byChannel.length > 0,
      pool: (options = {}) => {
        const { host, port } = relay
        const pool = engine.open({ ...server.target, host, port }, { logger: quietLog(), ...options, hooks })
        ending.push(() => pool.end())
        return pool
      },
    }
    await SCENES[name as EventName](scene)
    await eventually(`${channel} is heard of`, scene.isHeard)
    const [event] = byChannel
    const { host, port } = relay
    // A full server refuses before it has said what it is.
    const known = UNGREETED.includes(name) ? engine.protocol : engine.engine
    expect(event).toMatchObject({ fleet: 'leasehold', engine: known, target: `${host}:${port}` })
    for (const member of TOLD[name as EventName]) expect(event).toHaveProperty(member)
    expect(Object.isFrozen(event)).toBe(true)
    if (hook !== undefined) expect(byHook).toContainEqual([hook, event])
  })

  it('a cause is logged three times a minute, however often it happens, in words and in members', async () => {
    const said: [string, object | undefined][] = []
    const hear = (message: string, details?: object): void => void said.push([message, details])
    await server.fill()
    const pool = engine.open(server.target, {
      acquireTimeoutMs: 120,
      logger: { warn: hear, error: hear },
    })
    ending.push(() => pool.end())
    for (let request = 0; request < 8; request += 1) await pool.query('select 1').catch(() => undefined)
    expect(pool.leasehold.stats().gaveUp).toBe(8)
    expect(said).toHaveLength(3)
    for (const [message, details] of said) {
      expect(message).toMatch(/^leasehold: no slot within .+raise max_connections$/)
      expect(details).toMatchObject({
        cause: 'saturated',
        fleet: 'leasehold',
        engine: engine.protocol,
        kind: 'saturated',
        attempts: expect.any(Number) as number,
      })
    }
  })
})
