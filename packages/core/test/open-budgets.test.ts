import { describe, expect, it } from 'vitest'

import { failureDetails } from '../src/errors.ts'
import { governedScene } from './governed-scene.ts'
import { rejectionOf } from './scene.ts'

describe('the budgets of opening a connection', () => {
  it('end a wait for a slot at the acquire timeout, even when the last attempt gets no answer', async () => {
    const { clock, open, server, stranger } = governedScene(
      { acquireTimeoutMs: 2_000, resumeBudgetMs: 30_000, connectTimeoutMs: 5_000 },
      { slotCount: 1 },
    )
    await stranger()
    const opening = open()
    opening.catch(() => undefined)
    await clock.advance(1_000)
    server.blackhole()
    await clock.advance(1_100)
    const error = await rejectionOf(opening)
    expect(failureDetails(error)).toMatchObject({ kind: 'saturated' })
    expect(failureDetails(error)?.waitedMs).toBeLessThanOrEqual(2_100)
  })

  it('tell a person once that a server cannot be reached, when the wait begins', async () => {
    const { clock, open, server, logger } = governedScene({ connectTimeoutMs: 500 })
    server.blackhole()
    const opening = open()
    opening.catch(() => undefined)
    await clock.advance(3_000)
    expect(logger.warnings).toEqual([
      'leasehold: the server cannot be reached (CONNECT_TIMEOUT): trying again for up to 30000 ms',
    ])
    server.resume()
    await clock.advance(3_000)
    await opening
  })
})

describe('a ping', () => {
  it('has a second at most, whatever a connect may take', async () => {
    const { governor, clock, open, server, settle } = governedScene({ connectTimeoutMs: 60_000 })
    const { governed } = await open()
    await settle(governed)
    server.blackhole()
    let answer: boolean | undefined
    void governor.alive(governed).then((alive) => {
      answer = alive
    })
    await clock.advance(1_001)
    expect(answer).toBe(false)
  })
})

describe('a census that was refused', () => {
  it('is asked for again after a minute, and governs again when it is answered', async () => {
    const { governor, clock, open, server, settle } = governedScene()
    server.answersCensus = false
    const { governed, connection } = await open()
    await settle(governed)
    server.answersCensus = true
    for (let seconds = 0; seconds < 60; seconds += 10) {
      await clock.advance(10_000)
      governor.handedOver(governed)
      await connection.run('select 1')
      await settle(governed)
    }
    expect(governor.stats).toMatchObject({ censusRefused: 1, censuses: 1 })
  })
})

describe('a session that lost its lease by the application’s own doing', () => {
  it('is kept by this side alone, and others go on asking for leases', async () => {
    const { governor, clock, open, settle } = governedScene()
    const { governed, connection } = await open()
    await settle(governed)
    connection.server.leaseMs = undefined
    await clock.advance(5_000)
    governor.handedOver(governed)
    await connection.run('select 1')
    await settle(governed)
    expect(governed.lease.keeper).toBe('client')
    expect(governor.asksForLease).toBe(true)
    expect(governor.stats.leaseRefused).toBe(0)
  })
})
