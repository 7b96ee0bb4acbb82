import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, describe, expect, it, vi } from 'vitest'

import { availability, startMariadb, startMysql } from '../src/index.ts'

describe('a server that is not installed', () => {
  const nowhere = join(tmpdir(), 'leasehold-no-such-folder')

  afterEach(() => void vi.unstubAllEnvs())

  it('is listed with what to do about it', async () => {
    vi.stubEnv('LEASEHOLD_MYSQL_ROOT', nowhere)
    vi.stubEnv('PATH', nowhere)
    const servers = await availability()
    expect(servers.map(({ name, engine }) => ({ name, engine }))).toEqual([
      { name: 'PostgreSQL 18', engine: 'postgresql' },
      { name: 'PostgreSQL 15', engine: 'postgresql' },
      { name: 'MariaDB', engine: 'mariadb' },
      { name: 'MySQL', engine: 'mysql' },
    ])
    expect(servers[0]?.available).toBe(true)
    expect(servers[3]).toMatchObject({ available: false })
    expect(servers[3]?.remedy).toContain('test/databases/install-mysql.sh')
  })

  it('does not start, and says what to do', async () => {
    vi.stubEnv('LEASEHOLD_MYSQL_ROOT', nowhere)
    await expect(startMysql()).rejects.toThrow('MySQL is not here: run test/databases/install-mysql.sh')
  })
})

describe('a setting that a server changes on its own', () => {
  it('is an error: MariaDB has 10 connections at least', async () => {
    await expect(startMariadb({ maxConnections: 5 })).rejects.toThrow(
      'MariaDB made 10 of max_connections = 5',
    )
  })
})
