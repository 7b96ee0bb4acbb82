// What serverless-mysql does to data when connections are lost or transactions meet, and what happens here.
import mysql2 from 'mysql2/promise'

import { eventually } from '../eventually.ts'
import { endSession, fateOf, type Scenario, weaknesses } from './clients.ts'

const insert = (mark: string): [string, string[]] => ['insert into marks (mark) values (?)', [mark]]

const lostInside: Scenario = async ({ make, relay, marks }) => {
  const db = make()
  await db.connect()
  const work = db
    .transaction()
    .query(...insert('first'))
    .query(() => {
      relay.reset()
      return insert('second')
    })
    .commit()
  return { commit: await fateOf(work), marks: await marks() }
}

/** Its own lock against one that came first, and did more: it is the one to be rolled back. */
const deadlockInside: Scenario = async ({ under, make, marks }) => {
  const db = make({ maxQueryRetries: 3 })
  await db.query("insert into marks (mark) values ('left'), ('right')")
  const rival = await mysql2.createConnection({ ...under.target })
  await rival.query('start transaction')
  await rival.query("update marks set mark = 'right' where mark = 'right'")
  for (let count = 0; count < 20; count += 1)
    await rival.query('insert into marks (mark) values (?)', [`r${count}`])
  let rivalEnds: Promise<unknown> | undefined
  const work = db
    .transaction()
    .query(...insert('first'))
    .query("select mark from marks where mark = 'left' for update")
    .query(() => {
      rivalEnds ??= rival
        .query("select mark from marks where mark = 'left' for update")
        .then(async () => rival.rollback())
      // So that the rival waits before this one asks for what the rival has.
      return ['select sleep(0.3)']
    })
    .query("select mark from marks where mark = 'right' for update")
    .commit()
  const commit = await fateOf(work)
  await rivalEnds
  await rival.end()
  return { commit, marks: await marks() }
}

const interleaved: Scenario = async ({ make, marks }) => {
  const db = make()
  await db.query(...insert('there'))
  const first = db
    .transaction()
    .query(...insert('first'))
    .query('select sleep(0.3)')
    .query(...insert('there'))
    .commit()
  const second = db
    .transaction()
    .query(...insert('second'))
    .query('select sleep(0.3)')
    .query('select 1')
    .commit()
  return { first: await fateOf(first), second: await fateOf(second), marks: await marks() }
}

const besideTransaction: Scenario = async ({ make, marks }) => {
  const db = make()
  await db.query(...insert('there'))
  const work = db
    .transaction()
    .query('select sleep(0.3)')
    .query(...insert('there'))
    .commit()
  const beside = db.query(...insert('beside'))
  return { transaction: await fateOf(work), beside: await fateOf(beside), marks: await marks() }
}

const replyLost: Scenario = async ({ under, make, relay }) => {
  const db = make()
  await under.server.admin('create table if not exists app.log (line int)')
  await under.server.admin('delete from app.log')
  await db.connect()
  relay.dropReplies()
  const insertion = await fateOf(db.query('insert into log values (1)'))
  const lines = await under.server.admin('select count(*) as n from app.log')
  return { insertion, lines: Number(lines[0]?.['n']) }
}

const tenantLost: Scenario = async (scene) => {
  const db = scene.make()
  await db.changeUser({ database: 'tenant_b' })
  await endSession(scene, db)
  const [row] = await db.query<{ name: string }[]>('select database() as name')
  return row?.name
}

const thrownInside: Scenario = async ({ make, marks }) => {
  const db = make()
  const work = db
    .transaction()
    .query(...insert('half'))
    .query(() => {
      throw new Error('changed my mind')
    })
    .commit()
  const first = await fateOf(work)
  await db.end()
  await db
    .transaction()
    .query(...insert('next'))
    .commit()
  return { first, marks: await marks() }
}

const leftOpenByHand: Scenario = async ({ make, marks }) => {
  const db = make()
  await db.query('start transaction')
  await db.query(...insert('half'))
  await db.end()
  await db
    .transaction()
    .query(...insert('next'))
    .commit()
  return marks()
}

const lostByHand: Scenario = async (scene) => {
  const db = scene.make()
  await db.query('begin')
  await db.query(...insert('first'))
  await endSession(scene, db)
  const second = await fateOf(db.query(...insert('second')))
  return { second, marks: await scene.marks() }
}

/** Somebody else's work under the same login, waiting inside its transaction for a second or two. */
const idleInTransaction: Scenario = async ({ under, make }) => {
  const other = await mysql2.createConnection({ ...under.target })
  other.on('error', () => {})
  await other.query('start transaction')
  await other.query(...insert('other'))
  const db = make({ connUtilization: 0, zombieMinTimeout: 1, zombieMaxTimeout: 1 })
  await db.connect()
  const idleSec = `select max(time) as t from information_schema.processlist where id = ${other.threadId}`
  await eventually('it is idle for two seconds', async () => {
    const [row] = await under.server.admin(idleSec)
    return Number(row?.['t']) >= 2
  })
  await db.query('select 1')
  await db.end()
  const commit = await fateOf(other.query('commit'))
  other.destroy()
  return commit
}

await weaknesses([
  [
    '1: a connection lost inside a transaction leaves half of it committed',
    lostInside,
    { was: { commit: 'resolved', marks: ['second'] }, is: { commit: 'rejected', marks: [] } },
  ],
  [
    '2: a deadlock inside a transaction with retries leaves half of it committed',
    deadlockInside,
    {
      was: { commit: 'resolved', marks: ['left', 'right'] },
      is: { commit: 'resolved', marks: ['left', 'right', 'first'] },
    },
  ],
  [
    '3: two transactions at once commit and undo each other',
    interleaved,
    {
      was: { first: 'rejected', second: 'resolved', marks: ['there'] },
      is: { first: 'rejected', second: 'resolved', marks: ['there', 'second'] },
    },
  ],
  [
    '3: a statement beside a transaction falls into it',
    besideTransaction,
    {
      was: { transaction: 'rejected', beside: 'resolved', marks: ['there'] },
      is: { transaction: 'rejected', beside: 'resolved', marks: ['there', 'beside'] },
    },
  ],
  [
    '4: an insert whose reply was lost runs twice',
    replyLost,
    { was: { insertion: 'resolved', lines: 2 }, is: { insertion: 'rejected', lines: 1 } },
  ],
  ['5: a session that is replaced forgets whose it was', tenantLost, { was: 'app', is: 'tenant_b' }],
  [
    '5: a transaction left open by an exception is committed by the next',
    thrownInside,
    {
      was: { first: 'rejected', marks: ['half', 'next'] },
      is: { first: 'rejected', marks: ['next'] },
    },
  ],
  [
    '5: a transaction left open by hand is committed in the next invocation',
    leftOpenByHand,
    { was: ['half', 'next'], is: ['next'] },
  ],
  [
    '1: a connection lost inside a transaction made by hand leaves half of it committed',
    lostByHand,
    { was: { second: 'resolved', marks: ['second'] }, is: { second: 'rejected', marks: [] } },
  ],
  [
    '6: sessions that wait inside a transaction, and those of others, are killed',
    idleInTransaction,
    { was: 'rejected', is: 'resolved' },
  ],
])
