// In a real environment that is frozen between two questions.
import { expect } from 'vitest'

import { eventually, pause } from '../subject.ts'
import { type Case, SHORT } from './case.ts'

export const frozen: readonly Case[] = [
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
      // A server may be back sooner than a connection is doubted.
      await pause(150)
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
