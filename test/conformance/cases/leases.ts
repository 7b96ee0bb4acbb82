// The server holds the clock, and what follows for a pool.
import { expect } from 'vitest'

import { eventually, pause } from '../subject.ts'
import { type Case, SHORT } from './case.ts'

export const leases: readonly Case[] = [
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
