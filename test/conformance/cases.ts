// The conformance cases, as data: what must hold on every engine. Each stands alone.
import { failureDetails, LeaseholdError } from '@leasehold/core'
import { expect } from 'vitest'

import { eventually, pause, type Subject } from './subject.ts'

export interface Case {
  readonly name: string
  run(subject: Subject): Promise<void>
}

/** The shortest lease every engine can hold. */
const SHORT = { minLeaseMs: 1_000, maxLeaseMs: 1_000 }

async function rejection(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('expected a rejection')
}

const opening: readonly Case[] = [
  {
    name: 'answers, and reuses the connection',
    run: async (subject) => {
      const pool = subject.openPool()
      const first = await pool.sessionId()
      expect(await pool.sessionId()).toBe(first)
      expect(pool.stats()).toMatchObject({ opened: 1, reused: 1 })
      await pool.end()
    },
  },
  {
    name: 'binds values, never splices them',
    run: async (subject) => {
      const pool = subject.openPool()
      for (const value of ["'; drop table students; --", '\\', "it's", 'ünïcødé 🙂']) {
        expect(await pool.echo(value)).toBe(value)
      }
      await pool.end()
    },
  },
  {
    name: 'opens nothing until a connection is wanted',
    run: async (subject) => {
      const pool = subject.openPool()
      await pause(50)
      expect(await subject.sessions()).toHaveLength(0)
      await pool.end()
    },
  },
  {
    name: 'surfaces a wrong password at once, as the driver says it, with details',
    run: async (subject) => {
      const pool = subject.openPool({ password: 'wrong' })
      const error = await rejection(pool.sessionId())
      expect(subject.classify(error)).toBe('auth')
      expect(failureDetails(error)).toMatchObject({ kind: 'auth', attempts: 1 })
      expect(Object.keys(error as object)).not.toContain('leasehold')
      await pool.end()
    },
  },
  {
    name: 'leaves no session behind when a connect is aborted at its limit',
    run: async (subject) => {
      const pool = subject.openPool({ relayed: true, connectTimeoutMs: 150, resumeBudgetMs: 0 })
      subject.network.delayMs = 100
      const error = await rejection(pool.sessionId())
      expect(LeaseholdError.is(error) && error.code).toBe('CONNECT_TIMEOUT')
      await eventually('no session left', async () => (await subject.sessions()).length === 0)
      await pool.end()
    },
  },
  {
    name: 'keeps trying while the network answers nothing, and connects when it does',
    run: async (subject) => {
      const pool = subject.openPool({ relayed: true, connectTimeoutMs: 200 })
      subject.network.blackhole()
      const answer = pool.echo('there')
      await pause(500)
      subject.network.resume()
      expect(await answer).toBe('there')
      expect(pool.stats().attempts).toBeGreaterThan(1)
      await pool.end()
    },
  },
]

const leases: readonly Case[] = [
  {
    name: 'grants the long lease after the first census, and the server holds it',
    run: async (subject) => {
      const pool = subject.openPool({ maxLeaseMs: 120_000 })
      await pool.sessionId()
      await eventually('a census', () => pool.stats().censuses > 0)
      await eventually('the long lease', async () => (await pool.leaseMs()) === 120_000)
      await pool.end()
    },
  },
  {
    name: 'counts what the server counts',
    run: async (subject) => {
      const pool = subject.openPool({ max: 3 })
      const held = await Promise.all([pool.connect(), pool.connect()])
      await pool.sessionId()
      const view = await pool.census()
      expect(view).toMatchObject({
        usedCount: 3 + subject.overhead,
        slotCount: subject.slots + subject.overhead,
        waiting: false,
      })
      for (const connection of held) connection.release()
      await pool.end()
    },
  },
  {
    name: 'lets the server end an idle session when its lease is over',
    run: async (subject) => {
      const pool = subject.openPool(SHORT)
      const id = await pool.sessionId()
      const tookMs = await eventually(
        'the server ends it',
        async () => !(await subject.sessions()).includes(id),
      )
      expect(tookMs).toBeGreaterThan(500)
      expect(tookMs).toBeLessThan(5_000)
      expect(await pool.sessionId()).not.toBe(id)
      expect(pool.stats()).toMatchObject({ opened: 2, lapsed: 1, lost: 0 })
      await pool.end()
    },
  },
  {
    name: 'never lets a lease end a session that the application holds',
    run: async (subject) => {
      const pool = subject.openPool(SHORT)
      const connection = await pool.connect()
      const id = await connection.sessionId()
      await pause(2_600)
      expect(await connection.sessionId()).toBe(id)
      connection.release()
      expect(pool.stats().renewed).toBeGreaterThan(0)
      await pool.end()
    },
  },
  {
    name: 'asks the server for nothing when leases are off',
    run: async (subject) => {
      const pool = subject.openPool({ lease: 'off' })
      const leaseMs = await pool.leaseMs()
      await pause(50)
      expect(await pool.leaseMs()).toBe(leaseMs)
      expect(leaseMs === 0 || leaseMs > 900_000).toBe(true)
      expect(pool.stats()).toMatchObject({ censuses: 0, leaseRefused: 0 })
      await pool.end()
    },
  },
]

const frozen: readonly Case[] = [
  {
    name: 'drops a session whose lease lapsed while the environment was frozen',
    run: async (subject) => {
      const pool = await subject.openFrozenPool(SHORT)
      const id = await pool.sessionId()
      await eventually('the lease lapses', async () => !(await subject.sessions()).includes(id))
      expect(await pool.sessionId()).not.toBe(id)
      expect(await pool.stats()).toMatchObject({ opened: 2, gaveUp: 0 })
      await pool.dispose()
    },
  },
  {
    name: 'replaces a session that was killed while the environment was frozen',
    run: async (subject) => {
      const pool = await subject.openFrozenPool({ pingAfterIdleMs: 100 })
      const id = await pool.sessionId()
      await pause(200)
      await subject.terminate(id)
      expect(await pool.sessionId()).not.toBe(id)
      await pool.dispose()
    },
  },
  {
    name: 'replaces a session that the network forgot while the environment was frozen',
    run: async (subject) => {
      const pool = await subject.openFrozenPool({
        relayed: true,
        pingAfterIdleMs: 100,
        connectTimeoutMs: 300,
      })
      const id = await pool.sessionId()
      await pause(200)
      subject.network.blackhole()
      subject.network.resume()
      expect(await pool.sessionId()).not.toBe(id)
      await pool.dispose()
    },
  },
  {
    name: 'replaces a session that was reset while the environment was frozen',
    run: async (subject) => {
      const pool = await subject.openFrozenPool({ relayed: true, pingAfterIdleMs: 100 })
      const id = await pool.sessionId()
      await pause(200)
      subject.network.reset()
      expect(await pool.sessionId()).not.toBe(id)
      await pool.dispose()
    },
  },
  {
    name: 'survives a restart of the server while the environment was frozen',
    run: async (subject) => {
      const pool = await subject.openFrozenPool({ pingAfterIdleMs: 100 })
      await pool.sessionId()
      await subject.restart()
      expect(await pool.echo('again')).toBe('again')
      await pool.dispose()
    },
  },
  {
    name: 'keeps the session while its lease holds',
    run: async (subject) => {
      const pool = await subject.openFrozenPool({ pingAfterIdleMs: 100 })
      const id = await pool.sessionId()
      await pause(300)
      expect(await pool.sessionId()).toBe(id)
      await pause(300)
      expect(await pool.sessionId()).toBe(id)
      expect(await pool.stats()).toMatchObject({ opened: 1, lapsed: 0, lost: 0 })
      await pool.dispose()
    },
  },
]

const loss: readonly Case[] = [
  {
    name: 'replaces an idle connection that the server ended, before any statement meets it',
    run: async (subject) => {
      const pool = subject.openPool()
      const id = await pool.sessionId()
      await subject.terminate(id)
      await eventually('it is gone', async () => !(await subject.sessions()).includes(id))
      await pause(20)
      expect(await pool.sessionId()).not.toBe(id)
      expect(pool.stats()).toMatchObject({ opened: 2, lost: 1 })
      await pool.end()
    },
  },
  {
    name: 'replaces a connection in a black hole within the ping limit',
    run: async (subject) => {
      const pool = subject.openPool({ relayed: true, pingAfterIdleMs: 0, connectTimeoutMs: 300 })
      const id = await pool.sessionId()
      await pause(20)
      subject.network.blackhole()
      subject.network.resume()
      const startMs = performance.now()
      expect(await pool.sessionId()).not.toBe(id)
      expect(performance.now() - startMs).toBeLessThan(2_000)
      await pool.end()
    },
  },
  {
    name: 'connects again after a restart of the server',
    run: async (subject) => {
      const pool = subject.openPool()
      await pool.sessionId()
      await subject.restart()
      expect(await pool.echo('again')).toBe('again')
      await pool.end()
    },
  },
  {
    name: 'evicts the connection of a server that turned read-only',
    run: async (subject) => {
      const pool = subject.openPool({ max: 1 })
      const connection = await pool.connect()
      const id = await connection.sessionId()
      expect(subject.classify(await subject.writeToReadOnly(connection))).toBe('read-only')
      connection.release()
      expect(await pool.sessionId()).not.toBe(id)
      expect(pool.stats().evicted).toBe(1)
      await pool.end()
    },
  },
]

const saturation: readonly Case[] = [
  {
    name: 'waits for a slot and takes it when one is free',
    run: async (subject) => {
      const free = await subject.fill()
      const pool = subject.openPool({ max: 1 })
      const answer = pool.echo('at last')
      await pause(300)
      await free(1)
      expect(await answer).toBe('at last')
      expect(pool.stats().refused).toBeGreaterThan(0)
      await free(Number.POSITIVE_INFINITY)
      await pool.end()
    },
  },
  {
    name: 'surfaces the refusal of the driver at its deadline, with details and a line in the log',
    run: async (subject) => {
      const lines: string[] = []
      const logger = { warn: () => {}, error: (message: string) => lines.push(message) }
      const free = await subject.fill()
      const pool = subject.openPool({ acquireTimeoutMs: 600, logger })
      const startMs = performance.now()
      const error = await rejection(pool.sessionId())
      const tookMs = performance.now() - startMs
      await free(Number.POSITIVE_INFINITY)
      expect(tookMs).toBeLessThan(1_500)
      expect(subject.saturatedCodes).toContain((error as { code?: string }).code)
      const details = failureDetails(error)
      expect(details).toMatchObject({ kind: 'saturated' })
      expect(details?.attempts).toBeGreaterThan(1)
      expect(details?.waitedMs).toBeGreaterThan(300)
      expect(lines.join('\n')).toMatch(
        /no slot within \d+ ms \(\d+ attempts; .*last refusal .*\): lower reserved/,
      )
      await pool.end()
    },
  },
  {
    name: 'ends the wait of a request for a busy pool at its deadline',
    run: async (subject) => {
      const logger = { warn: () => {}, error: () => {} }
      const pool = subject.openPool({ max: 1, acquireTimeoutMs: 200, logger })
      const connection = await pool.connect()
      const error = await rejection(pool.sessionId())
      expect(LeaseholdError.is(error) && error.code).toBe('ACQUIRE_TIMEOUT')
      connection.release()
      expect(await pool.echo('free again')).toBe('free again')
      await pool.end()
    },
  },
  {
    name: 'opens no more connections than its size while it backs off',
    run: async (subject) => {
      const free = await subject.fill()
      const pool = subject.openPool({ max: 2, acquireTimeoutMs: 5_000 })
      const answers = Promise.all(['a', 'b', 'c', 'd'].map((value) => pool.echo(value)))
      await pause(300)
      await free(Number.POSITIVE_INFINITY)
      expect(await answers).toEqual(['a', 'b', 'c', 'd'])
      expect(pool.stats().opened).toBeLessThanOrEqual(4)
      expect((await subject.sessions()).length).toBeLessThanOrEqual(2)
      await pool.end()
    },
  },
  {
    name: 'gives up a wait for a slot when the pool is ended',
    run: async (subject) => {
      const free = await subject.fill()
      const pool = subject.openPool({ max: 1 })
      const refused = rejection(pool.sessionId())
      await pause(200)
      const ended = pool.end()
      await refused
      await ended
      await free(Number.POSITIVE_INFINITY)
      await eventually('no session left', async () => (await subject.sessions()).length === 0)
    },
  },
]

const classification: readonly Case[] = [
  {
    name: 'sees in specimens of real errors what they mean',
    run: async (subject) => {
      const seen: Record<string, string> = {}
      const expected: Record<string, string> = {}
      for (const specimen of subject.specimens()) {
        seen[specimen.name] = subject.classify(await specimen.raise())
        expected[specimen.name] = specimen.kind
      }
      expect(seen).toEqual(expected)
      expect(Object.keys(seen).length).toBeGreaterThan(0)
    },
  },
]

export const CASES: Readonly<Record<string, readonly Case[]>> = {
  opening,
  leases,
  frozen,
  loss,
  saturation,
  classification,
}
