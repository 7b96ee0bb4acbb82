// No slot is free, or none in the pool.
import { failureDetails, LeaseholdError } from '@leasehold/core'
import { expect } from 'vitest'

import { eventually, pause } from '../subject.ts'
import { type Case, rejection } from './case.ts'

export const saturation: readonly Case[] = [
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
