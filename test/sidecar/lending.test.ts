// The environment's places, lent by a real sidecar over its socket to threads of this process and of others.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { awakeClock } from '../../layer/src/sidecar/awake-clock.ts'
import { Places } from '../../layer/src/sidecar/places.ts'
import { SocketDoor } from '../../layer/src/sidecar/socket-door.ts'
import { systemClock } from '../../packages/core/src/clock.ts'
import { consoleLogger, LimitedLog } from '../../packages/core/src/log.ts'
import type { EnvironmentPlace } from '../../packages/core/src/share.ts'
import { LentPlaces } from '../../packages/core/src/sidecar/places.ts'

const SHARE = 2
const THREADS = 3
const TOTAL = SHARE * THREADS

let folder: string
let path: string
let door: SocketDoor | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leasehold-places-'))
  path = join(folder, 'socket')
})
afterEach(async () => {
  await door?.end()
  door = undefined
  await rm(folder, { recursive: true, force: true })
})

async function listen(): Promise<void> {
  const places = new Places(awakeClock)
  door = new SocketDoor(path, new LimitedLog(consoleLogger, systemClock), (answer) => ({
    said: (message) => {
      if (message.kind === 'take') places.take(answer, message)
      if (message.kind === 'give') places.give(answer, message.number)
    },
    left: () => places.leave(answer),
  }))
  await door.listen()
}

/** A thread's pool: it opens as many connections as it may, and closes idle ones when asked to. */
class Pool {
  readonly places: LentPlaces = new LentPlaces({ path, total: TOTAL, share: SHARE }, systemClock)
  readonly busy: EnvironmentPlace[] = []
  readonly idle: EnvironmentPlace[] = []

  async open(): Promise<void> {
    let place: EnvironmentPlace | undefined
    const giveBack = (): boolean => {
      const index = place === undefined ? -1 : this.idle.indexOf(place)
      if (index < 0) return false
      this.idle.splice(index, 1)[0]?.leave()
      return true
    }
    place = await this.places.take(new AbortController().signal, giveBack)
    this.busy.push(place)
  }

  /** Given back by the application: kept, unless it is one too many. */
  checkin(): void {
    const place = this.busy.pop()
    if (place === undefined) return
    if (this.places.isOver) place.leave()
    else this.idle.push(place)
  }

  get size(): number {
    return this.busy.length + this.idle.length
  }

  /** Requests keep coming: as many connections as it can have. */
  async grow(most: number): Promise<void> {
    await eventually(async () => {
      if (this.size >= most) return true
      if (this.size < this.places.mostCount) await this.open()
      else this.places.wanted()
      return this.size >= most
    })
  }
}

async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  await vi.waitUntil(isTrue, { timeout: 10_000, interval: 5 })
}

const sizeOf = (pools: readonly Pool[]): number => pools.reduce((sum, { size }) => sum + size, 0)

/** Three threads that have joined. */
async function threads(): Promise<[Pool, Pool, Pool]> {
  const pools: [Pool, Pool, Pool] = [new Pool(), new Pool(), new Pool()]
  await eventually(() => pools.every(({ places }) => places.mostCount === SHARE))
  return pools
}

describe('places that the sidecar lends', () => {
  it('are an even share for every thread to begin with', async () => {
    await listen()
    const pools = await threads()
    for (const pool of pools) await pool.grow(SHARE)
    expect(sizeOf(pools)).toBe(TOTAL)
  })

  it('go from threads that do not use theirs to one that wants more, but for one each', async () => {
    await listen()
    const [first, second, third] = await threads()
    await first.grow(TOTAL - 2)
    expect([second.places.mostCount, third.places.mostCount]).toEqual([1, 1])
    first.places.wanted()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(first.places.mostCount).toBe(TOTAL - 2)
  })

  it('go over by closing what is idle', async () => {
    await listen()
    const [first, second] = await threads()
    await second.grow(SHARE)
    second.checkin()
    second.checkin()
    await first.grow(TOTAL - 2)
    expect(second.size).toBe(1)
  })

  it('stay with a thread that uses its share', async () => {
    await listen()
    const [first, second, third] = await threads()
    await second.grow(SHARE)
    await third.grow(SHARE)
    await first.grow(SHARE)
    first.places.wanted()
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect([first, second, third].map(({ places }) => places.mostCount)).toEqual([2, 2, 2])
  })

  it('come back to a thread that needs its share again, as soon as one is given back elsewhere', async () => {
    await listen()
    const pools = await threads()
    const [first, second] = pools
    await first.grow(TOTAL - 2)
    const grown = second.grow(SHARE)
    await eventually(() => first.places.isOver)
    first.checkin()
    await grown
    expect(first.size).toBe(TOTAL - 3)
    expect(sizeOf(pools)).toBeLessThanOrEqual(TOTAL)
  })

  it('of a thread that ends come back at once', async () => {
    await listen()
    const script = `
      const { connect } = require('node:net')
      const socket = connect({ path: ${JSON.stringify(path)} })
      for (const number of [1, 2]) socket.write(JSON.stringify(
        { kind: 'take', number, budget: 'environment', of: ${TOTAL}, share: ${SHARE} }) + '\\n')
      socket.once('data', () => require('node:worker_threads').parentPort.postMessage('joined'))
    `
    const worker = new Worker(script, { eval: true })
    await new Promise((resolve) => worker.once('message', resolve))
    const [first, second] = [new Pool(), new Pool()]
    await eventually(() => first.places.mostCount === SHARE && second.places.mostCount === SHARE)
    await first.grow(3)
    await worker.terminate()
    await first.grow(TOTAL - 1)
  })

  it('are the even share where there is no sidecar, and joined when it comes', async () => {
    const pool = new Pool()
    await pool.grow(SHARE)
    expect(pool.places.mostCount).toBe(SHARE)
    await listen()
    const [second, third] = [new Pool(), new Pool()]
    await eventually(() => second.places.mostCount === SHARE && third.places.mostCount === SHARE)
    await pool.grow(SHARE + 1)
  })

  it('are the even share again when the sidecar ends: what is above it is closed at checkin', async () => {
    await listen()
    const [first] = await threads()
    await first.grow(SHARE + 1)
    door?.cut()
    await eventually(() => first.places.isOver)
    first.checkin()
    expect([first.size, first.places.isOver]).toEqual([SHARE, false])
  })

  it('are the even share where the sidecar accepts and says nothing', async () => {
    door = new SocketDoor(path, new LimitedLog(consoleLogger, systemClock), () => ({
      said: () => undefined,
      left: () => undefined,
    }))
    await door.listen()
    const pool = new Pool()
    expect(pool.places.mostCount).toBe(0)
    await pool.open()
    expect(pool.places.mostCount).toBe(SHARE)
  })

  it('are waited for no longer than the request is', async () => {
    await listen()
    const pools = await threads()
    for (const pool of pools) await pool.grow(SHARE)
    const enough = new AbortController()
    const waiting = pools[0].places.take(enough.signal, () => false)
    enough.abort(new Error('too late'))
    await expect(waiting).rejects.toThrow('too late')
  })
})
