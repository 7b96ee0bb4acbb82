// Which classes of which drivers are taken for what: the newest, the oldest supported, and governed ones.
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'

import { govern } from '@leasehold/pg-adapter'
import mysql2 from 'mysql2'
import pg from 'pg'
import { describe, expect, it } from 'vitest'

import { findShape } from '../../packages/attach/src/shapes.ts'

// Required, not imported: the old `pg` under its other name has no types.
const require = createRequire(import.meta.url)
const oldPg = require('pg-8.16') as typeof pg
const oldMysql2 = require('mysql2-3.12') as typeof mysql2

describe('the shape of a class', () => {
  it.each([
    ['pg', pg, mysql2],
    ['their oldest versions', oldPg, oldMysql2],
  ])('tells what it is: %s', (_, postgres, mysql) => {
    expect(findShape(postgres.Pool.prototype)?.kind).toBe('pg.Pool')
    expect(findShape(postgres.Client.prototype)?.kind).toBe('pg.Client')
    expect(findShape(govern(postgres).Pool.prototype)?.kind).toBe('pg.Pool')
    const pool = mysql.createPool({ host: 'localhost' })
    expect(findShape(pool)?.kind).toBe('mysql2 pool')
    pool.end()
    const { Connection } = mysql as unknown as { Connection: { prototype: object } }
    expect(findShape(Connection.prototype)?.kind).toBe('mysql2 connection')
  })

  it('is that of the class that has it, whoever extends it', () => {
    class Extended extends pg.Pool {}
    expect(findShape(Extended.prototype)?.prototype).toBe(findShape(pg.Pool.prototype)?.prototype)
  })

  it('is none of another emitter', () => {
    class Likely extends EventEmitter {
      connect(): void {}
      query(): void {}
      end(): void {}
    }
    expect(findShape(Likely.prototype)).toBeUndefined()
    expect(findShape(pg.Connection.prototype)).toBeUndefined()
  })
})
