// All or nothing, on a connection of its own.
import { failureDetails } from '@leasehold/core'
import { expect } from 'vitest'

import { pause } from '../subject.ts'
import { type Case, rejection } from './case.ts'

export const transactions: readonly Case[] = [
  {
    name: 'commits what a function wrote, and gives its result',
    run: async (subject) => {
      const pool = subject.openPool({ max: 1 })
      const result = await pool.transaction(async (inside) => {
        await inside.write(1)
        await inside.write(2)
        return 'done'
      })
      expect(result).toBe('done')
      expect(await subject.written()).toEqual([1, 2])
      await pool.end()
    },
  },
  {
    name: 'keeps nothing of a function that throws, and throws what it threw',
    run: async (subject) => {
      const pool = subject.openPool({ max: 1 })
      const failure = new Error('not after all')
      const error = await rejection(
        pool.transaction(async (inside) => {
          await inside.write(1)
          throw failure
        }),
      )
      expect(error).toBe(failure)
      expect(await subject.written()).toEqual([])
      expect(await pool.echo('sound')).toBe('sound')
      await pool.end()
    },
  },
  {
    name: 'keeps two that run at once apart',
    run: async (subject) => {
      const pool = subject.openPool({ max: 2 })
      const one = pool.transaction(async (inside) => {
        await inside.write(1)
        await pause(100)
        await inside.write(2)
      })
      const other = rejection(
        pool.transaction(async (inside) => {
          await inside.write(3)
          await pause(50)
          throw new Error('not this one')
        }),
      )
      await Promise.all([one, other])
      expect(await subject.written()).toEqual([1, 2])
      await pool.end()
    },
  },
  {
    name: 'undoes a transaction inside one alone',
    run: async (subject) => {
      const pool = subject.openPool({ max: 1 })
      await pool.transaction(async (inside) => {
        await inside.write(1)
        await rejection(
          inside.nested(async () => {
            await inside.write(2)
            throw new Error('only this part')
          }),
        )
        await inside.nested(() => inside.write(3))
      })
      expect(await subject.written()).toEqual([1, 3])
      await pool.end()
    },
  },
  {
    name: 'fails whole, once, when its connection is lost half-way',
    run: async (subject) => {
      const pool = subject.openPool({ max: 1 })
      let runs = 0
      const error = await rejection(
        pool.transaction(async (inside) => {
          runs += 1
          await inside.write(1)
          await subject.terminate(await inside.sessionId())
          await pause(50)
          await inside.write(2)
        }),
      )
      expect(subject.classify(error)).toBe('lost')
      expect(runs).toBe(1)
      expect(await subject.written()).toEqual([])
      expect(await pool.echo('sound')).toBe('sound')
      await pool.end()
    },
  },
  {
    name: 'says that the outcome is not known when the answer to COMMIT is lost',
    run: async (subject) => {
      const pool = subject.openPool({ relayed: true, max: 1 })
      const error = await rejection(
        pool.transaction(async (inside) => {
          await inside.write(1)
          subject.network.dropReplies()
        }),
      )
      expect(failureDetails(error)).toMatchObject({ commitOutcome: 'unknown', statementMayHaveRun: true })
      expect(await subject.written()).toEqual([1])
      await pool.end()
    },
  },
  {
    name: 'runs the whole function again after a lost race, and gives up at its retries',
    run: async (subject) => {
      const transient = subject.specimens().find(({ kind }) => kind === 'transient')
      if (transient === undefined) throw new Error('every engine has a race to lose')
      const race = await transient.raise()
      const pool = subject.openPool({ max: 1 })
      let runs = 0
      const lose = async (): Promise<void> => {
        runs += 1
        if (runs < 3) throw race
      }
      await pool.transaction(async (inside) => {
        await inside.write(runs)
        await lose()
      })
      expect(await subject.written()).toEqual([2])
      runs = -10
      expect(await rejection(pool.transaction(lose, { retries: 2 }))).toBe(race)
      expect(runs).toBe(-7)
      expect(pool.stats().rerun).toBe(4)
      await pool.end()
    },
  },
]
