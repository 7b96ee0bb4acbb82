import { leaseLadder } from '@leasehold/core'
import { describe, expect, it } from 'vitest'

import { MYSQL_PLACES, newCensusSight, openingLease, parseCensusRow } from '../src/census.ts'
import { PoolDialect } from '../src/dialect.ts'

const ROW = {
  used: '21',
  busy: '6',
  refused: '3',
  slots: 151,
  lease: 300,
  login_slots: 0,
  login_used: 12,
  watched: 1,
  waits: null,
}

const parse = (row: Readonly<Record<string, unknown>>) => parseCensusRow([row], newCensusSight()).census

describe("MySQL's answer to a census", () => {
  it('is the counts, the refusals and the lease', () => {
    expect(parseCensusRow([ROW], newCensusSight())).toEqual({
      census: {
        usedCount: 21,
        slotCount: 151,
        limit: 'server',
        freeCount: 130,
        busyShare: 0.25,
        labels: [],
        waitsMs: [],
        refusedCount: 3,
      },
      leaseMs: 300_000,
    })
  })

  it.each([
    ['the login has none', {}, 'server', 130],
    ['the login is closer to its own', { login_slots: 13 }, 'login', 1],
    ['the login is further from its own, with fewer free', { login_slots: 120 }, 'server', 108],
    ["the login's sessions were not counted", { login_slots: 13, login_used: null }, 'server', 130],
    ["the login's sessions can't be seen", { login_slots: 13, login_used: 0, watched: 0 }, 'server', 130],
    ['the login has used its up', { login_slots: 12 }, 'login', 0],
  ])('is of the limit that binds where %s', (_what, given, limit, freeCount) => {
    expect(parse({ ...ROW, ...given })).toMatchObject({ limit, freeCount })
  })

  it('has the waits of late, each about as long as a newcomer had to wait', () => {
    expect(parse({ ...ROW, waits: '2,6' }).waitsMs).toEqual([100, 400])
    expect(parse({ ...ROW, waits: '' }).waitsMs).toEqual([])
  })

  it('knows no refusals where the server does not count them', () => {
    expect(parse({ ...ROW, refused: null }).refusedCount).toBeUndefined()
  })

  it('says how many of the other sessions are busy, where the server tells', () => {
    expect(parse({ ...ROW, busy: '1' }).busyShare).toBe(0)
    expect(parse({ ...ROW, used: '1', busy: '1' }).busyShare).toBeUndefined()
    expect(parse({ ...ROW, busy: null }).busyShare).toBeUndefined()
    // Threads of the server's own run as well.
    expect(parse({ ...ROW, used: '3', busy: '5' }).busyShare).toBe(1)
  })

  it.each([
    ['no row', []],
    ['nothing', [{}]],
    ['no numbers', [{ ...ROW, used: 'many' }]],
    ['no lease', [{ ...ROW, lease: null }]],
  ])('is an error where it has %s', (_what, rows) => {
    expect(() => parseCensusRow(rows, newCensusSight())).toThrow(/census/)
  })
})

describe("a pool's census", () => {
  const met = (serverVersion: string): PoolDialect => {
    const dialect = new PoolDialect('shop')
    dialect.meet(serverVersion)
    return dialect
  }

  it.each(['8.0.22', '8.4.2', '9.7.4', '10.0.1'])(
    "never counts by MySQL %s's information_schema while performance_schema is on",
    (version) => {
      const dialect = met(version)
      expect(dialect.censusAndLease()).not.toContain('information_schema.processlist')
      dialect.parseCensus([{ ...ROW, login_slots: 5 }])
      expect(dialect.censusAndLease()).toContain('from performance_schema.processlist')
    },
  )

  it('counts by it where performance_schema is off and the login is limited', () => {
    const dialect = met('8.4.2')
    dialect.parseCensus([{ ...ROW, watched: 0, login_slots: 5, login_used: 0 }])
    expect(dialect.censusAndLease()).toContain('from information_schema.processlist')
  })

  it('does not count where an early MySQL 8.0 has no table for it', () => {
    const dialect = met('8.0.21')
    dialect.parseCensus([{ ...ROW, login_slots: 5, login_used: null }])
    expect(dialect.censusAndLease()).not.toContain('processlist')
  })

  it.each(['9.7.4', '5.5.5-10.11.6-MariaDB'])(
    "stops counting a login's sessions on %s once it is known to have no limit, and begins when it gets one",
    (version) => {
      const dialect = met(version)
      expect(dialect.censusAndLease()).toContain('processlist')
      dialect.parseCensus([ROW])
      expect(dialect.censusAndLease()).not.toContain('processlist')
      dialect.parseCensus([{ ...ROW, login_slots: 5, login_used: null }])
      expect(dialect.censusAndLease()).toContain('processlist')
    },
  )

  it("reads the server's counters once", () => {
    for (const version of ['9.7.4', '11.4.2-MariaDB']) {
      expect(
        met(version)
          .censusAndLease()
          .match(/global_status/g),
      ).toHaveLength(1)
    }
  })
})

describe('the lease of a new session', () => {
  it('is the shortest for a limited login, and follows the pressure for the others', () => {
    const limits = { minLeaseMs: 2_000, maxLeaseMs: 300_000, targetPressure: 0.8 }
    const ladder = leaseLadder({ ...limits, backoffBaseMs: 50, backoffCapMs: 300 })
    const sql = openingLease(MYSQL_PLACES, ladder, (ms) => Math.ceil(ms / 1_000))
    expect(sql).toMatch(/^\(select case when @@max_user_connections > 0 then 2 when variable_value >= 0\.9 /)
    expect(sql).toContain('else 300 end')
  })
})
