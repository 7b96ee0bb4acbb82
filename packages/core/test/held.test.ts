import { describe, expect, it } from 'vitest'

import { callersOf } from '../src/call-site.ts'
import type { LeaseholdOptions } from '../src/options/options.ts'
import { governedScene, type GovernedScene } from './governed-scene.ts'

interface Lambda extends GovernedScene {
  /** Another invocation begins, as the runtime marks it. */
  invoke(): void
}

function lambda(options: LeaseholdOptions = {}, name = 'checkout'): Lambda {
  const env: Record<string, string> = { AWS_LAMBDA_FUNCTION_NAME: name }
  let count = 0
  const scene = governedScene(options, {}, env)
  return {
    ...scene,
    invoke: () => {
      count += 1
      env['_X_AMZN_TRACE_ID'] = `Root=${count}`
    },
  }
}

const enter = (scene: GovernedScene, awsRequestId: string): void =>
  scene.governor.enter({ awsRequestId, getRemainingTimeInMillis: () => 3_000 })

describe('a connection still checked out when the next invocation begins', () => {
  it('is closed and reported, with the function’s name', async () => {
    const { governor, server, logger, open, invoke } = lambda()
    invoke()
    const { connection } = await open()
    invoke()
    await open()
    expect(connection.open).toBe(false)
    expect(server.sessions).toHaveLength(1)
    expect(governor.stats.reclaimed).toBe(1)
    expect(logger.warnings).toEqual([
      'leasehold: a connection was still checked out when the next invocation began in checkout, so it was ' +
        'closed and rolled back; set `traceCheckouts` to see where it was taken',
    ])
  })

  it('is closed though it must not be used again anyway', async () => {
    const { open, invoke } = lambda()
    invoke()
    const { connection, governed } = await open()
    governed.spoilt = true
    invoke()
    await open()
    expect(connection.open).toBe(false)
  })

  it('is reported with the place where it was taken, if checkouts are traced', async () => {
    const { logger, open, invoke } = lambda({ traceCheckouts: true })
    invoke()
    const { governed } = await open()
    const take = (): string => callersOf({ take }, ['take'])
    governed.takenAt = take()
    invoke()
    await open()
    expect(logger.warnings[0]).toMatch(/taken at .*held\.test\.ts/)
  })

  it('is closed when the handler says that it is another invocation', async () => {
    const scene = governedScene()
    enter(scene, 'one')
    const { connection } = await scene.open()
    enter(scene, 'one')
    expect(connection.open).toBe(true)
    enter(scene, 'two')
    expect(connection.open).toBe(false)
  })

  it('is closed for a request that would wait for it, leases off or not', async () => {
    const { governor, open, invoke } = lambda({ lease: 'off' })
    invoke()
    const { connection } = await open()
    invoke()
    expect(governor.acquireLimitMs).toBe(10_000)
    expect(connection.open).toBe(false)
  })

  it('is found by the watch over held connections, where nobody asks for another', async () => {
    const { clock, open, invoke } = lambda({ minLeaseMs: 2_000 })
    invoke()
    const { connection } = await open()
    invoke()
    await clock.advance(500)
    expect(connection.open).toBe(false)
  })

  it('stays where it was taken before the first invocation', async () => {
    const { governor, open, invoke } = lambda()
    const { connection } = await open()
    invoke()
    await open()
    invoke()
    await open()
    expect(connection.open).toBe(true)
    expect(governor.stats.reclaimed).toBe(1)
  })

  it('stays where the option says so', async () => {
    const { governor, open, invoke } = lambda({ heldAcrossInvocations: 'keep' })
    invoke()
    const { connection } = await open()
    invoke()
    await open()
    expect(connection.open).toBe(true)
    expect(governor.stats.reclaimed).toBe(0)
  })

  it('stays where the application made it for itself', async () => {
    const { governor, server, invoke } = lambda()
    invoke()
    governor.noticeInvocation()
    const session = await server.connect()
    const opened = { connection: session, hands: session, leaseMs: undefined, exact: false }
    expect(governor.admit(opened).invocation.number).toBe(1)
    invoke()
    governor.noticeInvocation()
    expect(session.open).toBe(true)
  })

  it('stays where several invocations share the process', async () => {
    const scene = governedScene({}, {}, { AWS_LAMBDA_MAX_CONCURRENCY: '8' })
    enter(scene, 'one')
    const { connection } = await scene.open()
    enter(scene, 'two')
    expect(connection.open).toBe(true)
  })

  it('belongs to the invocation that took it last', async () => {
    const { governor, clock, open, settle, invoke } = lambda()
    invoke()
    const { governed, connection } = await open()
    await settle(governed)
    await clock.advance(10)
    invoke()
    expect(governor.checkout(governed)).toBe('ready')
    governor.handedOver(governed)
    expect(governor.acquireLimitMs).toBe(10_000)
    expect(connection.open).toBe(true)
  })
})

describe('a transaction left open on a connection that was given back', () => {
  it('does not reach the next invocation', async () => {
    const { governor, clock, logger, open, settle, invoke } = lambda()
    invoke()
    const { governed, connection } = await open()
    await connection.run('begin')
    await settle(governed)
    await clock.advance(10)
    invoke()
    expect(governor.checkout(governed)).toBe('lapsed')
    expect(governor.stats.reclaimed).toBe(1)
    expect(logger.warnings[0]).toContain('a transaction was left open on a connection that was given back')
  })

  it('goes on within the same invocation, as with the bare driver', async () => {
    const { governor, clock, open, settle, invoke } = lambda()
    invoke()
    const { governed, connection } = await open()
    await connection.run('begin')
    await settle(governed)
    await clock.advance(10)
    expect(governor.checkout(governed)).toBe('ready')
  })

  it('ends when the next invocation begins, though nobody takes that connection', async () => {
    const { governor, open, settle, invoke } = lambda()
    invoke()
    const { governed, connection } = await open()
    await connection.run('begin')
    await settle(governed)
    invoke()
    await open()
    expect(connection.open).toBe(false)
    expect(governor.stats.reclaimed).toBe(1)
  })
})

describe('the mark of the invocation', () => {
  it('is not read for a gap that can hide no boundary', async () => {
    let reads = 0
    const env = {
      get _X_AMZN_TRACE_ID() {
        reads += 1
        return 'Root=1'
      },
    }
    const { governor, clock, open, settle } = governedScene({}, {}, env)
    const { governed } = await open()
    await settle(governed)
    reads = 0
    governor.checkout(governed)
    expect(reads).toBe(0)
    await clock.advance(0.2)
    governor.checkout(governed)
    expect(reads).toBe(1)
  })
})
