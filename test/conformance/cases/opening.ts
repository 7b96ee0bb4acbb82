// A connection is opened, or is not.
import { failureDetails, LeaseholdError } from '@leasehold/core'
import { expect } from 'vitest'

import { eventually, pause } from '../subject.ts'
import { type Case, rejection } from './case.ts'

export const opening: readonly Case[] = [
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
