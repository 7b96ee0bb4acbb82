// The events of the pool: a governed pool tells the same story as a bare one.
import { createPool, type GovernedPool } from '@leasehold/pg-adapter'
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'

import { eventually } from '../eventually.ts'
import { endAll, postgresUnderTest } from './server.ts'

function record(pool: pg.Pool): string[] {
  const story: string[] = []
  for (const event of ['connect', 'acquire', 'remove'] as const) {
    pool.on(event, (client) => story.push(`${event} ${client instanceof pg.Client}`))
  }
  pool.on('release', (error, client) => story.push(`release ${String(error)} ${client instanceof pg.Client}`))
  pool.on('error', (error, client) => story.push(`error ${error.message} ${client instanceof pg.Client}`))
  return story
}

function isGoverned(pool: pg.Pool): pool is GovernedPool {
  return 'leasehold' in pool
}

describe('events', () => {
  const under = postgresUnderTest()
  const pools: pg.Pool[] = []
  const both = (options: pg.PoolConfig = {}): { governed: GovernedPool; bare: pg.Pool } => {
    const governed = createPool({ ...under.target, ...options })
    const bare = new pg.Pool({ ...under.target, ...options })
    pools.push(governed, bare)
    return { governed, bare }
  }
  afterEach(() => endAll(pools))

  async function stories(
    options: pg.PoolConfig,
    scene: (pool: pg.Pool, story: readonly string[]) => Promise<void>,
  ): Promise<{ governed: readonly string[]; bare: readonly string[] }> {
    const { governed, bare } = both(options)
    const told = { governed: record(governed), bare: record(bare) }
    await scene(governed, told.governed)
    await scene(bare, told.bare)
    return told
  }

  it('are the same for a new client, a used one and one released with an error', async () => {
    const told = await stories({ max: 1 }, async (pool, story) => {
      await pool.query('select 1')
      await pool.query('select 1')
      ;(await pool.connect()).release(new Error('bad'))
      await eventually('the client is removed', () => story.some((line) => line.startsWith('remove')))
    })
    expect(told.governed).toEqual(told.bare)
  })

  it('are the same when requests wait for a full pool', async () => {
    const told = await stories({ max: 1 }, async (pool) => {
      await Promise.all(Array.from({ length: 5 }, () => pool.query('select 1')))
    })
    expect(told.governed).toEqual(told.bare)
  })

  it('are the same when the pool ends', async () => {
    const told = await stories({ max: 1 }, async (pool, story) => {
      await pool.query('select 1')
      await pool.end()
      await eventually('the client is removed', () => story.some((line) => line.startsWith('remove')))
    })
    expect(told.governed).toEqual(told.bare)
  })

  it('are the same when the server ends an idle session', async () => {
    const told = await stories({ max: 1 }, async (pool, story) => {
      const [{ id } = { id: 0 }] = (await pool.query<{ id: number }>('select pg_backend_pid() as id')).rows
      // Ended in the middle of a census it would not be idle: the census is told, and nobody else.
      await eventually('its census is over', () => !isGoverned(pool) || pool.leasehold.stats().censuses > 0)
      await eventually('it is idle', async () => (await under.server.sessions()).every(({ idle }) => idle))
      await under.server.terminate(id)
      await eventually('the client is removed', () => story.some((line) => line.startsWith('remove')))
    })
    expect(told.governed).toEqual(told.bare)
    expect(told.governed).toContain('error terminating connection due to administrator command true')
  })

  it('are the same when a client reaches maxUses', async () => {
    const told = await stories({ max: 1, maxUses: 2 }, async (pool, story) => {
      await pool.query('select 1')
      await pool.query('select 1')
      await eventually('the client is removed', () => story.some((line) => line.startsWith('remove')))
    })
    expect(told.governed).toEqual(told.bare)
  })

  it('are the same when an idle client outlives maxLifetimeSeconds, and none is opened in its place', async () => {
    // Its lease has run out as well, which would have it replaced if it were wanted.
    const lease = { lease: 'client', minLeaseMs: 1_000, maxLeaseMs: 1_000 } as const
    const options = { max: 1, maxLifetimeSeconds: 1 }
    const governed = createPool({ ...under.target, ...options, ...lease })
    const bare = new pg.Pool({ ...under.target, ...options })
    pools.push(governed, bare)
    const told = { governed: record(governed), bare: record(bare) }
    await Promise.all([governed.query('select 1'), bare.query('select 1')])
    await eventually('both clients are removed', () =>
      Object.values(told).every((story) => story.some((line) => line.startsWith('remove'))),
    )
    expect(told.governed).toEqual(told.bare)
    expect(governed.leasehold.stats()).toMatchObject({ opened: 1, attempts: 1 })
  })

  it('tell of no error when a lease runs out', async () => {
    const governed = createPool({ ...under.target, minLeaseMs: 1_000, maxLeaseMs: 1_000 })
    pools.push(governed)
    const story = record(governed)
    await governed.query('select 1')
    await eventually('the client is removed', () => story.some((line) => line.startsWith('remove')))
    expect(story.filter((line) => line.startsWith('error'))).toEqual([])
  })
})
