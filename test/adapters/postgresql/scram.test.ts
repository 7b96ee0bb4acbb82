// Logins whose keys are kept: as safe and as lasting as the driver's own.
import { createPool, type GovernedPool } from '@leasehold/pg-adapter'
import type pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'

import { rejection } from '../eventually.ts'
import { endAll, postgresUnderTest } from './server.ts'

describe('a role that logs in by SCRAM', () => {
  const under = postgresUnderTest()
  const pools: pg.Pool[] = []
  afterEach(() => endAll(pools))

  const poolOf = (user: string, password: string): GovernedPool => {
    const pool = createPool({ ...under.target, user, password, max: 1 })
    pools.push(pool)
    return pool
  }
  const login = async (user: string, password: string): Promise<string> => {
    const { rows } = await poolOf(user, password).query<{ user: string }>('select session_user as user')
    return rows[0]?.user ?? 'nobody'
  }

  it('is let in again and again, whatever is in its password', async () => {
    const passwords = [' with, commas = and spaces ', 'quo\'te"s\\', 'pässwörd ｗｉｄｅ']
    for (const [number, password] of passwords.entries()) {
      const role = `scram_${number}`
      await under.server.admin(`create role ${role} login password '${password.replaceAll("'", "''")}'`)
      for (let time = 0; time < 3; time += 1) expect(await login(role, password)).toBe(role)
    }
  })

  it('is refused with a wrong password, before and after the right one', async () => {
    await under.server.admin(`create role scram_careful login password 'right'`)
    expect(await rejection(login('scram_careful', 'wrong'))).toMatchObject({ code: '28P01' })
    expect(await login('scram_careful', 'right')).toBe('scram_careful')
    expect(await rejection(login('scram_careful', 'wrong'))).toMatchObject({ code: '28P01' })
    expect(await login('scram_careful', 'right')).toBe('scram_careful')
  })

  it('has a new password when it was given one, and the old one no longer', async () => {
    await under.server.admin(`create role scram_rotated login password 'first'`)
    expect(await login('scram_rotated', 'first')).toBe('scram_rotated')
    await under.server.admin(`alter role scram_rotated password 'second'`)
    expect(await rejection(login('scram_rotated', 'first'))).toMatchObject({ code: '28P01' })
    expect(await login('scram_rotated', 'second')).toBe('scram_rotated')
    await under.server.admin(`alter role scram_rotated password 'first'`)
    expect(await login('scram_rotated', 'first')).toBe('scram_rotated')
  })

  it('shares no keys with another role that has the same password', async () => {
    await under.server.admin(
      `create role scram_one login password 'same'; create role scram_two login password 'same'`,
    )
    for (const role of ['scram_one', 'scram_two', 'scram_one']) expect(await login(role, 'same')).toBe(role)
  })
})
