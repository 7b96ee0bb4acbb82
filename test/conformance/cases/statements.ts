// A statement whose answer is lost, that takes too long, or that is still held when the next invocation begins.
import { failureDetails, LeaseholdError } from '@leasehold/core'
import { expect } from 'vitest'

import { eventually, pause, type Subject, type TestPool } from '../subject.ts'
import { type Case, rejection } from './case.ts'

/** Milliseconds; longer than any case waits. */
const LONG = 20_000

/** A pool whose next answer will be lost on its way. */
async function poolWithoutAnswer(subject: Subject): Promise<TestPool> {
  const pool = subject.openPool({ relayed: true, max: 1 })
  await pool.echo('open')
  subject.network.dropReplies()
  return pool
}

function invocation(awsRequestId: string): {
  awsRequestId: string
  getRemainingTimeInMillis(): number
} {
  return { awsRequestId, getRemainingTimeInMillis: () => 10_000 }
}

export const statements: readonly Case[] = [
  {
    name: 'does not send a write again whose answer was lost, and says that it may have run',
    run: async (subject) => {
      const pool = await poolWithoutAnswer(subject)
      const error = await rejection(pool.write(1))
      expect(failureDetails(error)).toMatchObject({ kind: 'lost', statementMayHaveRun: true })
      expect(subject.classify(error)).toBe('lost')
      expect(await subject.written()).toEqual([1])
      expect(pool.stats().replayed).toBe(0)
      await pool.end()
    },
  },
  {
    name: 'sends it again where it may run twice',
    run: async (subject) => {
      const pool = await poolWithoutAnswer(subject)
      await pool.write(1, { idempotent: true })
      expect(await subject.written()).toEqual([1, 1])
      expect(pool.stats().replayed).toBe(1)
      await pool.end()
    },
  },
  {
    name: 'sends nothing again on a connection that the application holds',
    run: async (subject) => {
      const pool = subject.openPool({ relayed: true, max: 1 })
      const connection = await pool.connect()
      await connection.echo('open')
      subject.network.dropReplies()
      const error = await rejection(connection.write(1, { idempotent: true }))
      expect(failureDetails(error)).toMatchObject({ statementMayHaveRun: true })
      expect(await subject.written()).toEqual([1])
      connection.release()
      await pool.end()
    },
  },
  {
    name: 'cancels a statement at its limit, on the server, and goes on with the connection',
    run: async (subject) => {
      const pool = subject.openPool({ max: 1 })
      const connection = await pool.connect()
      const id = await connection.sessionId()
      const startMs = performance.now()
      const error = await rejection(connection.busy(LONG, { queryTimeoutMs: 200 }))
      expect(LeaseholdError.is(error) && error.code).toBe('QUERY_TIMEOUT')
      expect(performance.now() - startMs).toBeLessThan(5_000)
      expect(await connection.sessionId()).toBe(id)
      connection.release()
      expect(pool.stats().cancelled).toBe(1)
      await pool.end()
    },
  },
  {
    name: 'cancels a statement whose signal aborts, and rejects with the signal’s reason',
    run: async (subject) => {
      const pool = subject.openPool({ max: 1 })
      const connection = await pool.connect()
      const id = await connection.sessionId()
      const abort = new AbortController()
      const reason = new Error('the caller went away')
      const busy = rejection(connection.busy(LONG, { signal: abort.signal }))
      setTimeout(() => abort.abort(reason), 100)
      expect(await busy).toBe(reason)
      expect(await connection.sessionId()).toBe(id)
      connection.release()
      await pool.end()
    },
  },
  {
    name: 'takes back what an invocation left checked out, in its transaction, when the next begins',
    run: async (subject) => {
      const pool = subject.openPool({ max: 1, logger: { warn: () => {}, error: () => {} } })
      pool.enter(invocation('first'))
      const left = await pool.connect()
      await left.begin()
      await left.write(1)
      pool.enter(invocation('second'))
      await pool.write(2)
      await eventually('only the second stays', async () => String(await subject.written()) === '2')
      expect(pool.stats().reclaimed).toBe(1)
      await rejection(left.echo('late'))
      left.release()
      expect(await pool.echo('sound')).toBe('sound')
      await pool.end()
    },
  },
  {
    name: 'lets no transaction that was left open reach the next invocation',
    run: async (subject) => {
      const pool = subject.openPool({ max: 1, logger: { warn: () => {}, error: () => {} } })
      pool.enter(invocation('first'))
      const connection = await pool.connect()
      await connection.begin()
      await connection.write(1)
      connection.release()
      pool.enter(invocation('second'))
      await pool.write(2)
      await eventually('only the second stays', async () => String(await subject.written()) === '2')
      await pool.end()
    },
  },
  {
    name: 'prepares every new session before its first use',
    run: async (subject) => {
      let prepared = 0
      const pool = subject.openPool({ max: 1, onSession: () => (prepared += 1) })
      const id = await pool.sessionId()
      await subject.terminate(id)
      await eventually('it is gone', async () => !(await subject.sessions()).includes(id))
      await pause(20)
      expect(await pool.sessionId()).not.toBe(id)
      expect(prepared).toBe(2)
      await pool.end()
    },
  },
]
