// Libraries on PostgreSQL: those that take a pool, and those that take a driver.
import { createPool, govern, type GovernedPool } from '@leasehold/pg-adapter'
import { PrismaPg } from '@prisma/adapter-pg'
import { sql as drizzleSql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import type { Knex } from 'knex'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import Cursor from 'pg-cursor'
import { Sequelize } from 'sequelize'
import { DataSource } from 'typeorm'

import type { Target } from '../server.ts'
import { knexOn, knexWith, useKnex } from './knex.ts'
import { endOnce, type Library, type LibraryInUse, settle, undoIf } from './library.ts'

const ID = 'select pg_backend_pid() as id'
const governed = govern(pg)

/** Every checkout asks the connection first: a test kills it a moment before. */
function poolOn(target: Target): GovernedPool {
  return createPool({ ...target, max: 2, pingAfterIdleMs: 0 })
}

interface Row {
  readonly id: number
}

const onDrizzle: Library = {
  name: 'Drizzle',
  open(target) {
    const pool = poolOn(target)
    const db = drizzle(pool)
    return {
      sessionId: async () => (await db.execute<{ id: number }>(drizzleSql.raw(ID))).rows[0]?.id ?? 0,
      addNote: (text, outcome) =>
        settle(
          db.transaction(async (tx) => {
            await tx.execute(drizzleSql`insert into notes values (${text})`)
            undoIf(outcome)
          }),
        ),
      end: endOnce(() => pool.end()),
    }
  },
}

const onKysely: Library = {
  name: 'Kysely',
  streams: true,
  open(target) {
    const db = new Kysely<{ notes: { text: string } }>({
      dialect: new PostgresDialect({ pool: poolOn(target), cursor: Cursor }),
    })
    return {
      sessionId: async () => (await sql<Row>`select pg_backend_pid() as id`.execute(db)).rows[0]?.id ?? 0,
      addNote: (text, outcome) =>
        settle(
          db.transaction().execute(async (trx) => {
            await trx.insertInto('notes').values({ text }).execute()
            undoIf(outcome)
          }),
        ),
      stream: async () => {
        const texts: string[] = []
        for await (const { text } of db.selectFrom('notes').select('text').stream(2)) texts.push(text)
        return texts
      },
      end: endOnce(() => db.destroy()),
    }
  },
}

async function knexSessionId(db: Knex): Promise<number> {
  return (await db.raw<{ rows: Row[] }>(ID)).rows[0]?.id ?? 0
}

// No stream: Knex 3.3.0 releases the client of a native pool twice when a stream closes, a bare pool's too.
const onKnex: Library = {
  name: 'Knex with a pool',
  open(target) {
    const pool = poolOn(target)
    const db = knexOn('pg', pool)
    const end = async (): Promise<void> => {
      await db.destroy()
      if (!pool.ending) await pool.end()
    }
    return useKnex(db, () => knexSessionId(db), endOnce(end))
  },
}

const onKnexDriver: Library = {
  name: 'Knex with a driver',
  streams: true,
  open(target) {
    const db = knexWith('pg', governed, target)
    return useKnex(
      db,
      () => knexSessionId(db),
      endOnce(() => db.destroy()),
    )
  },
}

function useTypeOrm(source: DataSource, end: () => Promise<unknown>): LibraryInUse {
  return {
    sessionId: async () => (await source.query<Row[]>(ID))[0]?.id ?? 0,
    addNote: (text, outcome) =>
      settle(
        source.transaction(async (manager) => {
          await manager.query('insert into notes values ($1)', [text])
          undoIf(outcome)
        }),
      ),
    end: endOnce(end),
  }
}

const onTypeOrm: Library = {
  name: 'TypeORM with a pool',
  async open(target) {
    const pool = poolOn(target)
    // Called with `new`, which gives what a function returns.
    function GivenPool(): GovernedPool {
      return pool
    }
    const source = new DataSource({
      type: 'postgres',
      driver: { ...pg, Pool: GivenPool },
      ...target,
      username: target.user,
    })
    await source.initialize()
    return useTypeOrm(source, () => source.destroy())
  },
}

const onTypeOrmDriver: Library = {
  name: 'TypeORM with a driver',
  async open(target) {
    const source = new DataSource({
      type: 'postgres',
      driver: governed,
      ...target,
      username: target.user,
      extra: { pingAfterIdleMs: 0, fleet: 'shop' },
    })
    await source.initialize()
    return useTypeOrm(source, () => source.destroy())
  },
}

const onSequelize: Library = {
  name: 'Sequelize',
  open(target) {
    const { user, password, host, port, database } = target
    const db = new Sequelize(database, user, password, {
      dialect: 'postgres',
      dialectModule: governed,
      host,
      port,
      logging: false,
    })
    return {
      sessionId: async () => ((await db.query(ID))[0][0] as Row).id,
      addNote: (text, outcome) =>
        settle(
          db.transaction(async (transaction) => {
            await db.query('insert into notes values (?)', { replacements: [text], transaction })
            undoIf(outcome)
          }),
        ),
      end: endOnce(() => db.close()),
    }
  },
}

const onPrisma: Library = {
  name: 'PrismaPg',
  async open(target) {
    const pool = poolOn(target)
    const adapter = await new PrismaPg(pool).connect()
    const asked = (text: string, ...args: unknown[]): Parameters<typeof adapter.queryRaw>[0] => ({
      sql: text,
      args,
      argTypes: args.map(() => ({ scalarType: 'string', arity: 'scalar' }) as const),
    })
    return {
      sessionId: async () => Number((await adapter.queryRaw(asked(ID))).rows[0]?.[0]),
      addNote: async (text, outcome) => {
        const transaction = await adapter.startTransaction()
        await transaction.executeRaw(asked('begin'))
        await transaction.executeRaw(asked('insert into notes values ($1)', text))
        await transaction.executeRaw(asked(outcome))
        await transaction[outcome]()
      },
      end: endOnce(async () => {
        await adapter.dispose()
        if (!pool.ending) await pool.end()
      }),
    }
  },
}

export const ON_PG: readonly Library[] = [
  onDrizzle,
  onKysely,
  onKnex,
  onKnexDriver,
  onTypeOrm,
  onTypeOrmDriver,
  onSequelize,
  onPrisma,
]
