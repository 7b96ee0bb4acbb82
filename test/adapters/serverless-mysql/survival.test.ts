// What leaves serverless-mysql hanging, or its environment useless, and what happens here.
import { eventually, rejection } from '../eventually.ts'
import { type Client, endSession, type Fate, fateOf, type Scenario, weaknesses } from './clients.ts'
import { startCuttingRelay } from './cutting-relay.ts'

/** Refused by nobody's fault; a statement anywhere may be answered so. */
const DEADLOCK = "signal sqlstate '40001' set mysql_errno = 1213, message_text = 'deadlock'"

const coldStartWhenFull: Scenario = async ({ under, make }) => {
  const free = await under.fill()
  const db = make()
  const both = [fateOf(db.query('select 1')), fateOf(db.query('select 2'))]
  await new Promise((resolve) => setTimeout(resolve, 300))
  await free()
  return Promise.all(both)
}

/** As an operating system ends a socket that nobody answered. */
const timedOutSocket: Scenario = async ({ make }) => {
  const db = make()
  await db.connect()
  const asked = fateOf(db.query('select sleep(2)'))
  const { stream } = db.getClient() as unknown as { stream: { destroy(error: Error): void } }
  stream.destroy(Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' }))
  return [await asked, await fateOf(db.query('select 1')), await fateOf(db.query('select 1'))]
}

const budgetSpent: Scenario = async ({ under, make }) => {
  await under.fill()
  const retries: number[] = []
  let count = 0
  const db = make({ maxRetries: 3, base: 1, cap: 5, onRetry: () => (count += 1) })
  for (let round = 0; round < 2; round += 1) {
    count = 0
    await fateOf(db.connect())
    retries.push(count)
  }
  return retries
}

/** `ask` on a client whose connections are cut where it would send certain statements. */
const throughCuts = async (
  { under, make }: Parameters<Scenario>[0],
  cutAt: (sql: string) => boolean,
  ask: (db: Client) => Promise<unknown>,
): Promise<{ fate: Fate; isBounded: boolean; work: Promise<unknown> }> => {
  const relay = await startCuttingRelay(under.server, cutAt)
  const db = make({}, { port: relay.port, resumeBudgetMs: 1_000 })
  const work = ask(db)
  const outcome = { fate: await fateOf(work), isBounded: relay.cuts < 30, work }
  // One that would go on connecting for ever comes to its end.
  relay.heal()
  await fateOf(work)
  db.quit()
  relay.close()
  return outcome
}

const cutAfterHandshake: Scenario = async (scene) => {
  const { fate, isBounded } = await throughCuts(
    scene,
    () => true,
    (db) => db.query('select 1'),
  )
  return { fate, isBounded }
}

const quitWhileWaiting: Scenario = async ({ make }) => {
  const db = make({
    maxQueryRetries: 1,
    queryRetryBackoff: () => 200,
    onQueryRetry: () => db.quit(),
  })
  return fateOf(db.query(DEADLOCK))
}

const lateError: Scenario = async (scene) => {
  const { under, make } = scene
  const db = make()
  await db.connect()
  const first = db.getClient()
  await endSession(scene, db)
  await db.query('select 1')
  const second = db.getClient()
  first?.emit('error', new Error('read ECONNRESET'))
  await db.query('select 1')
  const sessions = await under.server.sessions()
  return { isKept: db.getClient() === second, sessions: sessions.length }
}

const rollbackFails: Scenario = async (scene) => {
  await scene.make().query("insert into marks (mark) values ('there')")
  const isRollback = (sql: string): boolean => /rollback/i.test(sql)
  const { fate, work } = await throughCuts(scene, isRollback, (db) =>
    db.transaction().query("insert into marks (mark) values ('there')").commit(),
  )
  return fate === 'pending' ? fate : (await rejection(work)).code
}

const blackHole: Scenario = async ({ make, relay }) => {
  const db = make({}, { pingAfterIdleMs: 0 })
  await db.query('select 1')
  relay.blackhole()
  relay.resume()
  return fateOf(db.query('select 1'))
}

const timeLimit: Scenario = async ({ under, make }) => {
  const db = make()
  await db.query("insert into marks (mark) values ('there')")
  const { code } = await rejection(db.query({ sql: 'select mark from marks where sleep(20)', timeout: 300 }))
  const isQuiet = async (): Promise<boolean> => (await under.server.sessions()).every(({ idle }) => idle)
  const stops = await fateOf(eventually('nothing runs', isQuiet), 2_000)
  return { code, stops }
}

const endNotAnswered: Scenario = async ({ make, relay }) => {
  const db = make()
  await db.query('select 1')
  relay.blackhole()
  return fateOf(db.end(), 500)
}

/** What the end of an invocation asks of all sessions of the server, and which it tells to go. */
const asksForSessions: Scenario = async ({ under, make }) => {
  const asked: string[] = []
  const relay = await startCuttingRelay(under.server, (sql) => {
    asked.push(sql)
    return false
  })
  const db = make({}, { port: relay.port })
  await db.query('select 1')
  await db.end()
  relay.close()
  return asked.some((sql) => /processlist|kill/i.test(sql))
}

/** Over its threshold, and nobody to kill. */
const overThreshold: Scenario = async ({ make }) => {
  const db = make({ connUtilization: 0 })
  await db.query('select 1')
  await db.end()
  return db.getClient() === null ? 'closed' : 'kept'
}

/** Environments that hold every slot and are not invoked again: nobody calls `end` any more. */
const fullForGood: Scenario = async ({ under, make }) => {
  const others = Array.from({ length: under.server.slots }, () => make({ zombieMinTimeout: 1 }))
  for (const other of others) await other.query('select 1')
  return fateOf(make().query('select 1'), 12_000)
}

/** The password was changed, as rotation does. */
const newPassword: Scenario = async (scene) => {
  const { server, target } = scene.under
  const { admin } = server
  let password = 'the first'
  await admin('drop user if exists rotated')
  await admin(`create user rotated identified by '${password}'`)
  await admin(`grant select on ${target.database}.* to rotated`)
  const credentials = { isClearText: false, get: async () => ({ user: 'rotated', password }) }
  const db = scene.make({}, { user: 'rotated', password, credentials })
  await db.query('select 1')
  password = 'the second'
  await admin(`alter user rotated identified by '${password}'`)
  await endSession(scene, db)
  const fate = await fateOf(db.query('select 1'))
  db.quit()
  return fate
}

const plainly = { was: 'pending', is: 'resolved' }

await weaknesses([
  [
    '7: two statements at a cold start, refused: one hangs, one fails',
    coldStartWhenFull,
    { was: ['pending', 'rejected'], is: ['resolved', 'resolved'] },
  ],
  [
    '8: a socket that timed out poisons the environment',
    timedOutSocket,
    { was: ['rejected', 'rejected', 'rejected'], is: ['rejected', 'resolved', 'resolved'] },
  ],
  ['9: retries once spent are spent for good', budgetSpent, { was: [3, 0], is: [3, 3] }],
  [
    '10: a server that drops its clients is connected to without end',
    cutAfterHandshake,
    { was: { fate: 'pending', isBounded: false }, is: { fate: 'rejected', isBounded: true } },
  ],
  [
    '11: a statement whose client was closed while it waited hangs',
    quitWhileWaiting,
    { was: 'pending', is: 'rejected' },
  ],
  [
    '12: a late error of an old connection forgets the new one',
    lateError,
    { was: { isKept: false, sessions: 2 }, is: { isKept: true, sessions: 1 } },
  ],
  ['13: a rollback that fails hangs, and hides why', rollbackFails, { was: 'pending', is: 'ER_DUP_ENTRY' }],
  ['14: a connection that fell silent is waited for', blackHole, plainly],
  [
    '14: a statement at its limit runs on at the server',
    timeLimit,
    {
      was: { code: 'PROTOCOL_SEQUENCE_TIMEOUT', stops: 'pending' },
      is: { code: 'PROTOCOL_SEQUENCE_TIMEOUT', stops: 'resolved' },
    },
  ],
  [
    '16, 17, 18: every end of an invocation asks for all sessions of the server',
    asksForSessions,
    { was: true, is: false },
  ],
  ['15: the end of an invocation waits for the server', endNotAnswered, plainly],
  [
    '20: over its threshold every environment closes its connection',
    overThreshold,
    { was: 'closed', is: 'kept' },
  ],
  [
    '19: slots are looked at when an invocation ends, and never where none comes',
    fullForGood,
    { was: 'rejected', is: 'resolved' },
  ],
  ['21: a password that was changed is not heard of', newPassword, { was: 'rejected', is: 'resolved' }],
])
