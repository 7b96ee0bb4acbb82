import { AsyncResource } from 'node:async_hooks'

import { describe, expect, it } from 'vitest'

import type { LeaseholdOptions } from '../src/options/options.ts'
import { governedScene, type GovernedScene } from './governed-scene.ts'

const MANAGED = { AWS_LAMBDA_FUNCTION_NAME: 'shop', AWS_LAMBDA_MAX_CONCURRENCY: '64' }

const scene = (options: LeaseholdOptions = {}): GovernedScene => governedScene(options, {}, MANAGED)

/** Opens a connection for an invocation that has so much time. */
async function openFor({ governor, open }: GovernedScene, awsRequestId: string, leftMs: number) {
  return Promise.resolve().then(async () => {
    governor.enter({ awsRequestId, getRemainingTimeInMillis: () => leftMs })
    const asker = governor.asker()
    const opened = await open()
    asker?.took(opened.governed)
    return opened
  })
}

describe('a connection that is checked out when its invocation is out of time', () => {
  it('is taken away and reported, and that of another invocation is not', async () => {
    const shop = scene()
    const one = await openFor(shop, 'one', 1_000)
    const two = await openFor(shop, 'two', 60_000)
    await shop.clock.advance(2_000)
    expect([one.connection.open, two.connection.open]).toEqual([false, true])
    expect(shop.governor.stats.reclaimed).toBe(1)
    expect(shop.logger.warnings).toEqual([
      'leasehold: a connection was still checked out when its invocation was out of time in shop, so it was ' +
        'closed and rolled back; set `traceCheckouts` to see where it was taken',
    ])
  })

  it('is taken away when its own time is up, though another’s was before', async () => {
    const shop = scene()
    await openFor(shop, 'one', 1_000)
    const two = await openFor(shop, 'two', 4_000)
    await shop.clock.advance(3_900)
    expect(two.connection.open).toBe(true)
    await shop.clock.advance(600)
    expect(two.connection.open).toBe(false)
  })

  it('is taken away without leases too', async () => {
    const shop = scene({ lease: 'off' })
    const { connection } = await openFor(shop, 'one', 1_000)
    await shop.clock.advance(2_000)
    expect(connection.open).toBe(false)
  })

  it('is left alone where connections are kept across invocations', async () => {
    const shop = scene({ heldAcrossInvocations: 'keep' })
    const { connection } = await openFor(shop, 'one', 1_000)
    await shop.clock.advance(5_000)
    expect(connection.open).toBe(true)
  })

  it('is left alone where nobody knows whose it is', async () => {
    const shop = scene()
    const { connection } = await shop.open()
    await shop.clock.advance(60_000)
    expect(connection.open).toBe(true)
  })
})

describe('a connection given back inside a transaction', () => {
  it('goes to no other invocation', async () => {
    const shop = scene()
    const { connection, governed } = await openFor(shop, 'one', 60_000)
    await connection.run('begin')
    expect(shop.governor.endsAtCheckin(governed)).toBe(true)
    expect(shop.logger.warnings[0]).toContain('a transaction was left open')
  })

  it('stays where it is while its invocation is the only one', async () => {
    const { governor, open } = governedScene({}, {}, { AWS_LAMBDA_FUNCTION_NAME: 'shop' })
    const { connection, governed } = await open()
    await connection.run('begin')
    expect(governor.endsAtCheckin(governed)).toBe(false)
  })
})

describe('what a connection hears', () => {
  it('is of no invocation, for the one that it was opened for may be long over', async () => {
    const { clock, governor, server } = scene()
    let socket: AsyncResource | undefined
    await Promise.resolve().then(() => {
      governor.enter({ awsRequestId: 'one', getRemainingTimeInMillis: () => 3_000 })
      return governor.open(async ({ signal }) => {
        socket = new AsyncResource('socket')
        const session = await server.connect({ label: undefined, signal })
        return { connection: session, hands: session, leaseMs: undefined, exact: false }
      })
    })
    await clock.advance(10_000)
    expect(socket?.runInAsyncScope(() => governor.spendableMs())).toBeUndefined()
  })
})
