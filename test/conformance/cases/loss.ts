// A session is gone, and nobody notices.
import { expect } from 'vitest'

import { eventually, pause } from '../subject.ts'
import { type Case } from './case.ts'

export const loss: readonly Case[] = [
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
