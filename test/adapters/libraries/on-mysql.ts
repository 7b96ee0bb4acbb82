// Libraries on MySQL and MariaDB: those that take a pool, and those that take a driver.
import { createPool, govern, type GovernedPool } from '@leasehold/mysql-adapter'
import { sql as drizzleSql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/mysql2'
import type { Knex } from 'knex'
import { Kysely, MysqlDialect, sql } from 'kysely'
import mysql2 from 'mysql2'
import { Sequelize } from 'sequelize'
import { DataSource } from 'typeorm'

import type { Target } from '../server.ts'
import { knexOn, knexWith, useKnex } from './knex.ts'
import { endOnce, type Library, type LibraryInUse, settle, undoIf } from './library.ts'

const ID = 'select connection_id() as id'
const governed = govern(mysql2)

interface Row {
  readonly id: number
}

/** Every checkout asks the connection first: a test kills it a moment before. */
function poolOn(target: Target): GovernedPool {
  return createPool({ ...target, connectionLimit: 2, pingAfterIdleMs: 0 })
}

const onDrizzle: Library = {
  name: 'Drizzle',
  open(target) {
    const pool = poolOn(target)
    const db = drizzle({ client: pool })
    return {
      sessionId: async () => {
        const [rows] = await db.execute(drizzleSql.raw(ID))
        return (rows as unknown as Row[])[0]?.id ?? 0
      },
      addNote: (text, outcome) =>
        settle(
          db.transaction(async (tx) => {
            await tx.execute(drizzleSql`insert into notes values (${text})`)
            undoIf(outcome)
          }),
        ),
      end: endOnce(() => pool.promise().end()),
    }
  },
}

const onKysely: Library = {
  name: 'Kysely',
  streams: true,
  open(target) {
    const db = new Kysely<{ notes: { text: string } }>({
      dialect: new MysqlDialect({ pool: poolOn(target) }),
    })
    return {
      sessionId: async () => (await sql<Row>`select connection_id() as id`.execute(db)).rows[0]?.id ?? 0,
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
  return ((await db.raw(ID)) as [Row[]])[0][0]?.id ?? 0
}

const onKnex: Library = {
  name: 'Knex with a pool',
  streams: true,
  open(target) {
    const pool = poolOn(target)
    const db = knexOn('mysql2', pool)
    const end = async (): Promise<void> => {
      await db.destroy()
      await pool.promise().end()
    }
    return useKnex(db, () => knexSessionId(db), endOnce(end))
  },
}

const onKnexDriver: Library = {
  name: 'Knex with a driver',
  streams: true,
  open(target) {
    const db = knexWith('mysql2', governed, target)
    return useKnex(
      db,
      () => knexSessionId(db),
      endOnce(() => db.destroy()),
    )
  },
}

function useTypeOrm(source: DataSource): LibraryInUse {
  return {
    sessionId: async () => Number((await source.query<Row[]>(ID))[0]?.id),
    addNote: (text, outcome) =>
      settle(
        source.transaction(async (manager) => {
          await manager.query('insert into notes values (?)', [text])
          undoIf(outcome)
        }),
      ),
    end: endOnce(() => source.destroy()),
  }
}

const onTypeOrm: Library = {
  name: 'TypeORM with a pool',
  async open(target) {
    const pool = poolOn(target)
    const driver = { createPool: () => pool }
    const source = new DataSource({ type: 'mysql', driver, ...target, username: target.user })
    await source.initialize()
    return useTypeOrm(source)
  },
}

const onTypeOrmDriver: Library = {
  name: 'TypeORM with a driver',
  async open(target) {
    const extra = { pingAfterIdleMs: 0, fleet: 'shop' }
    const source = new DataSource({
      type: 'mysql',
      driver: governed,
      ...target,
      username: target.user,
      extra,
    })
    await source.initialize()
    return useTypeOrm(source)
  },
}

const onSequelize: Library = {
  name: 'Sequelize',
  open({ user, password, host, port, database }) {
    const db = new Sequelize(database, user, password, {
      dialect: 'mysql',
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

export const ON_MYSQL: readonly Library[] = [
  onDrizzle,
  onKysely,
  onKnex,
  onKnexDriver,
  onTypeOrm,
  onTypeOrmDriver,
  onSequelize,
]
