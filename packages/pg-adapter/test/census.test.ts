import { leaseLadder } from '@leasehold/core'
import { describe, expect, it } from 'vitest'

import { censusAndLease, holds, parseCensus } from '../src/census.ts'
import { poolDialect } from '../src/dialect.ts'

const LADDER = leaseLadder({
  minLeaseMs: 2_000,
  maxLeaseMs: 300_000,
  targetPressure: 0.8,
  backoffBaseMs: 50,
  backoffCapMs: 300,
})
const SERVER = { used: '20', seen: '11', busy: '6', slots: 97, labels: null, lease: null }
const UNLIMITED = {
  ...SERVER,
  login_used: '20',
  login_slots: -1,
  database_used: '20',
  database_slots: -1,
}

describe("PostgreSQL's answer to a census", () => {
  it('is the counts, the labels one to a line, and the lease that was set', () => {
    const row = { ...SERVER, labels: 'lh:shop:0:t:a\nlh:shop:9:t:b', lease: '300000' }
    expect(parseCensus([row])).toEqual({
      census: {
        usedCount: 20,
        slotCount: 97,
        limit: 'server',
        freeCount: 77,
        busyShare: 0.5,
        labels: ['lh:shop:0:t:a', 'lh:shop:9:t:b'],
        refusedCount: undefined,
      },
      leaseMs: 300_000,
    })
  })

  it('tells of no lease on a session that does not carry ours', () => {
    expect(parseCensus([SERVER]).leaseMs).toBeUndefined()
  })

  it('says how many of the other sessions are busy, where it sees any', () => {
    expect(parseCensus([{ ...SERVER, seen: '1', busy: '1' }]).census.busyShare).toBeUndefined()
    expect(parseCensus([{ ...SERVER, seen: '2', busy: '1' }]).census.busyShare).toBe(0)
    expect(parseCensus([{ ...SERVER, seen: '2', busy: '2' }]).census.busyShare).toBe(1)
  })

  it('reads counts however the application has them parsed', () => {
    expect(parseCensus([{ ...SERVER, used: 20n }]).census.usedCount).toBe(20)
    expect(parseCensus([{ ...SERVER, used: 20 }]).census.usedCount).toBe(20)
  })

  it.each([
    ['neither role nor database has one', {}, 'server', 77],
    ['the role is closer to its own', { login_used: '4', login_slots: 5 }, 'login', 1],
    ['the role is further from its own, with fewer free', { login_used: '0', login_slots: 5 }, 'server', 5],
    ['the database is closer to its own', { database_used: '20', database_slots: 20 }, 'database', 0],
    ['the database is being dropped', { database_slots: -2 }, 'server', 77],
    ['nobody may log in any more', { login_used: '1', login_slots: 0 }, 'login', 0],
  ])('is of the limit that binds where %s', (_what, given, limit, freeCount) => {
    expect(parseCensus([{ ...UNLIMITED, ...given }]).census).toMatchObject({ limit, freeCount })
  })

  it.each([
    ['no row', []],
    ['nothing', [{}]],
    ['no numbers', [{ ...SERVER, used: 'many' }]],
    ['a limit without its count', [{ ...UNLIMITED, login_slots: 5, login_used: null }]],
  ])('is an error where it has %s', (_what, rows) => {
    expect(() => parseCensus(rows)).toThrow(/census/)
  })
})

describe("a pool's census", () => {
  const isFull = (statement: string): boolean => statement.includes('pg_roles')

  it('asks for the limits of role and database at first, and rarely where there are none', () => {
    const dialect = poolDialect()
    expect(isFull(dialect.censusAndLease(2_000, LADDER))).toBe(true)
    dialect.parseCensus([UNLIMITED])
    let count = 0
    for (; !isFull(dialect.censusAndLease(2_000, LADDER)); count += 1) dialect.parseCensus([SERVER])
    expect(count).toBe(64)
  })

  it('goes on asking where there is one', () => {
    const dialect = poolDialect()
    dialect.parseCensus([{ ...UNLIMITED, login_slots: 5 }])
    expect(isFull(dialect.censusAndLease(2_000, LADDER))).toBe(true)
  })

  it('still asks where the first was never answered', () => {
    const dialect = poolDialect()
    dialect.censusAndLease(2_000, LADDER)
    expect(isFull(dialect.censusAndLease(2_000, LADDER))).toBe(true)
  })

  it('knows nothing of what another pool has found', () => {
    poolDialect().parseCensus([UNLIMITED])
    expect(isFull(poolDialect().censusAndLease(2_000, LADDER))).toBe(true)
  })
})

describe('the statement of a census', () => {
  it('has one step of the lease for each of the ladder, and the shortest for a full server', () => {
    const statement = censusAndLease(2_000, LADDER, false)
    expect(statement.match(/ then '/g)).toHaveLength(LADDER.length)
    expect(statement).toContain("when used * 1000 >= 1000 * slots then '2000'")
    expect(statement).toContain("else '300000'")
  })

  it.each([
    [0, '0'],
    [700, '700ms'],
    [2_000, '2s'],
    [90_000, '90s'],
    [300_000, '5min'],
    [7_200_000, '2h'],
    [86_400_000, '1d'],
    [90_000_000, '25h'],
    [300_000.4, '5min'],
  ])('compares a lease of %d ms with what the server shows: %s', (leaseMs, shown) => {
    expect(holds(leaseMs)).toMatch(new RegExp(`= '${shown}'$`))
  })
})
