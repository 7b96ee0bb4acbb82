import { describe, expect, it } from 'vitest'

import type { LeaseholdOptions } from '../src/options/options.ts'
import type { FakePool } from '../src/testing/fake-pool.ts'
import type { FakeSession } from '../src/testing/fake-session.ts'
import { type PoolScene, start } from './fake-pool-scene.ts'

interface Frozen extends PoolScene {
  /** As `FROZEN` environments left them, long ago. */
  readonly frozen: readonly FakePool[]
}

const FROZEN = 20
const SLOTS = 27

/** Environments with long leases sit idle on 20 of 27 slots. */
async function freeze(options: LeaseholdOptions = {}): Promise<Frozen> {
  const scene = start({}, { slotCount: SLOTS, roundTripMs: 1 })
  const frozen: FakePool[] = []
  for (let index = 0; index < FROZEN; index += 1) {
    const pool = scene.environment({ minLeaseMs: 60_000, maxLeaseMs: 60_000, ...options })
    await settled(scene, pool)
    frozen.push(pool)
  }
  await scene.clock.advance(5_000)
  return { ...scene, frozen }
}

/** One request, and the housekeeping after it. */
async function settled({ clock }: PoolScene, pool: FakePool): Promise<void> {
  const answered = pool.query('select 1')
  await clock.advance(50)
  await answered
}

/** Opens newcomers until every slot is taken; their leases outlast the test. */
async function crowd(
  scene: PoolScene,
  count = SLOTS - FROZEN,
  options: LeaseholdOptions = {},
): Promise<FakePool[]> {
  const pools: FakePool[] = []
  for (let index = 0; index < count; index += 1) {
    const pool = scene.environment({ maxLeaseMs: 60_000, ...options })
    await settled(scene, pool)
    pools.push(pool)
  }
  return pools
}

/** Sessions that nobody governs. */
async function crowdOfStrangers({ clock, server }: PoolScene, count: number): Promise<FakeSession[]> {
  const opening = Promise.all(Array.from({ length: count }, () => server.connect()))
  await clock.advance(5)
  return opening
}

const reapedBy = (pools: readonly FakePool[]): number =>
  pools.reduce((sum, pool) => sum + pool.leasehold.stats().reaped, 0)

describe('under pressure', () => {
  it('whoever finds the server full recalls what is idle for longest, down to the target', async () => {
    const scene = await freeze()
    const newcomers = await crowd(scene)
    expect(reapedBy(newcomers)).toBe(6)
    expect(scene.server.sessions).toHaveLength(21)
    const left = scene.server.sessions.map(({ id }) => id)
    expect(left).toEqual(Array.from({ length: 21 }, (_, index) => index + 7))
  })

  it('somebody who had to wait recalls though the server is no longer full', async () => {
    const scene = await freeze()
    const strangers = await crowdOfStrangers(scene, 7)
    const newcomer = scene.environment()
    const answered = newcomer.query('select 1')
    await scene.clock.advance(200)
    for (const stranger of strangers.slice(0, 3)) stranger.close()
    await scene.clock.advance(1_000)
    await answered
    expect(newcomer.leasehold.stats()).toMatchObject({ reaped: 4, opened: 1 })
  })

  it('a passing crowd costs nobody his session', async () => {
    const scene = await freeze()
    const newcomers = await crowd(scene, 4)
    expect(scene.server.sessions.length / SLOTS).toBeGreaterThan(0.8)
    expect(reapedBy(newcomers)).toBe(0)
  })

  it('a crowd that stays is answered by a recall', async () => {
    const scene = await freeze()
    const [newcomer] = await crowd(scene, 4)
    for (let request = 0; request < 60; request += 1) await settled(scene, newcomer as FakePool)
    expect(newcomer?.leasehold.stats().reaped).toBe(3)
  })

  it('the recalled environment’s next request just works, and costs one connect', async () => {
    const scene = await freeze()
    await crowd(scene)
    const [recalled] = scene.frozen
    await settled(scene, recalled as FakePool)
    expect(recalled?.leasehold.stats()).toMatchObject({ opened: 2, lost: 1, gaveUp: 0 })
    expect([...scene.logger.warnings, ...scene.logger.errors]).toEqual([])
  })

  it('nothing is recalled where `reap` is off', async () => {
    const scene = await freeze()
    expect(reapedBy(await crowd(scene, 7, { reap: false }))).toBe(0)
  })

  it('nothing is recalled at the response that gives one’s own slot up', async () => {
    const scene = await freeze()
    const [newcomer] = await crowd(scene, 1)
    const strangers = await crowdOfStrangers(scene, 6)
    await scene.clock.advance(2_000)
    await settled(scene, newcomer as FakePool)
    expect(newcomer?.leasehold.stats()).toMatchObject({ yielded: 1, reaped: 0 })
    expect(strangers.every(({ open }) => open)).toBe(true)
  })
})

describe('a recall leaves alone', () => {
  const everybodyElse = async (options: LeaseholdOptions = {}): Promise<number> => {
    const scene = await freeze(options)
    return reapedBy(await crowd(scene))
  }

  it('sessions of another fleet', async () => {
    expect(await everybodyElse({ fleet: 'other' })).toBe(0)
  })

  it('sessions whose owner would use them without asking', async () => {
    expect(await everybodyElse({ pingAfterIdleMs: 30_000 })).toBe(0)
  })

  it('sessions whose lease no server holds', async () => {
    expect(await everybodyElse({ lease: 'client' })).toBe(0)
  })

  it('connections that the application holds, while the environment runs', async () => {
    const scene = start({}, { slotCount: SLOTS, roundTripMs: 1 })
    const held = Array.from({ length: FROZEN }, () => scene.environment().connect())
    await scene.clock.advance(10_000)
    await Promise.all(held)
    expect(reapedBy(await crowd(scene))).toBe(0)
  })

  it('sessions inside a transaction', async () => {
    const scene = start({}, { slotCount: SLOTS, roundTripMs: 1 })
    for (let index = 0; index < FROZEN; index += 1) {
      const pool = scene.environment({ minLeaseMs: 60_000, maxLeaseMs: 60_000 })
      const connecting = pool.connect()
      await scene.clock.advance(5)
      const begun = (await connecting).query('begin')
      await scene.clock.advance(5)
      await begun
    }
    scene.clock.freeze(10_000)
    expect(reapedBy(await crowd(scene))).toBe(0)
  })
})

describe('a recall that the server does not do', () => {
  it('is counted, said once, and not asked for again for a minute', async () => {
    const scene = await freeze()
    scene.server.recalls = 'refused'
    const newcomers = await crowd(scene)
    const refused = newcomers.filter((pool) => pool.leasehold.stats().recallRefused > 0)
    expect(refused).toHaveLength(1)
    expect(scene.logger.warnings).toEqual([
      'leasehold: the server does not let sessions be recalled (FAKE_CENSUS_REFUSED); leases end them later',
    ])
    for (let request = 0; request < 50; request += 1) {
      const answered = refused[0]?.query('select 1')
      await scene.clock.advance(1_000)
      await answered
    }
    expect(refused[0]?.leasehold.stats()).toMatchObject({ recallRefused: 1, lost: 0 })
  })

  it('because another environment is at it is left to that one', async () => {
    const scene = await freeze()
    scene.server.recalls = 'busy'
    const newcomers = await crowd(scene)
    expect(reapedBy(newcomers)).toBe(0)
    expect(newcomers.every((pool) => pool.leasehold.stats().recallRefused === 0)).toBe(true)
  })

  it('within the limit of a connect costs the connection, not the next request', async () => {
    const scene = await freeze()
    const [newcomer] = await crowd(scene, 1)
    const reaping = newcomer?.leasehold.reap()
    scene.server.blackhole()
    await scene.clock.advance(5_000)
    expect(await reaping).toBe(0)
    expect(newcomer?.totalCount).toBe(0)
    expect(newcomer?.leasehold.stats()).toMatchObject({ lost: 1, recallRefused: 0 })
  })
})

describe('a recall that somebody asks for', () => {
  it('ends the longest-idle sessions whatever the pressure, and says how many', async () => {
    const scene = await freeze()
    const [newcomer] = await crowd(scene, 1, { reap: false })
    const reaping = newcomer?.leasehold.reap()
    await scene.clock.advance(10)
    expect(await reaping).toBe(8)
    expect(scene.server.sessions).toHaveLength(13)
    expect(newcomer?.leasehold.stats().reaped).toBe(8)
  })

  it('ends none without an idle connection to ask on', async () => {
    const scene = await freeze()
    expect(await scene.environment().leasehold.reap()).toBe(0)
  })
})
