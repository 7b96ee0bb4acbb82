// Statements under lost replies, killed sessions and a restart: what was acknowledged is there, once.
import { failureDetails } from '@leasehold/pg-adapter'
import { availability, type DatabaseServer, type Relay, startRelay } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { countsIn, createTables, openWork, type Work } from './engine.ts'
import { startTrouble, type Trouble } from './trouble.ts'

const WORKERS = 12
const ENOUGH = 10_000
/** Of each kind. */
const ENOUGH_TROUBLE = 40
const LIMIT_MS = 150_000

/** What callers were told of the ids they sent. */
interface Told {
  readonly acknowledged: Set<number>
  /** Failed, and the error says that it may have run. */
  readonly ambiguous: Set<number>
  /** Failed, and the error says that it did not run. */
  readonly unrun: Set<number>
  /** Failed in a way that says nothing of the statement: no connection, a limit. */
  readonly others: unknown[]
}

interface Ran extends Told {
  readonly trouble: Trouble['made']
  readonly replayed: number
}

/** Sends ids, each once, from many workers, under trouble, until enough are acknowledged. */
async function runUnderTrouble(
  server: DatabaseServer,
  relay: Relay,
  send: (work: Work, id: number) => Promise<void>,
  enough: number,
): Promise<Ran> {
  const work = openWork(server, relay)
  const told: Told = { acknowledged: new Set(), ambiguous: new Set(), unrun: new Set(), others: [] }
  const trouble = startTrouble(server, relay)
  const startMs = performance.now()
  let next = 0
  let restarting: Promise<void> | undefined
  // A fast machine would be done before much goes wrong.
  const isEnough = (): boolean => {
    const { kills, lostReplies } = trouble.made
    return told.acknowledged.size >= enough && Math.min(kills, lostReplies) >= ENOUGH_TROUBLE
  }
  const worker = async (): Promise<void> => {
    while (!isEnough() && performance.now() - startMs < LIMIT_MS) {
      const id = (next += 1)
      if (told.acknowledged.size > enough / 2) restarting ??= trouble.restart()
      try {
        await send(work, id)
        told.acknowledged.add(id)
      } catch (error) {
        const mayHaveRun = failureDetails(error)?.statementMayHaveRun
        if (mayHaveRun === undefined) told.others.push(error)
        else (mayHaveRun ? told.ambiguous : told.unrun).add(id)
      }
    }
  }
  try {
    await Promise.all(Array.from({ length: WORKERS }, worker))
    await restarting
  } finally {
    await trouble.stop()
    await work.end()
  }
  return { ...told, trouble: { ...trouble.made }, replayed: work.stats().replayed }
}

const engines = await availability()

describe.each(engines.filter(({ available }) => available))('$name', ({ start }) => {
  let server: DatabaseServer
  let relay: Relay

  beforeAll(async () => {
    server = await start({ maxConnections: 20 })
    relay = await startRelay(server)
    await createTables(server)
  })
  afterAll(async () => {
    await relay.close()
    await server.dispose()
  })

  it(
    `loses none of ${ENOUGH} acknowledged inserts, and runs none twice`,
    { timeout: 200_000 },
    async ({ annotate }) => {
      const ran = await runUnderTrouble(server, relay, (work, id) => work.insert(id), ENOUGH)
      const counts = await countsIn(server, 'inserted')
      await annotate(summary('inserts', ran))
      expect(ran.acknowledged.size).toBeGreaterThanOrEqual(ENOUGH)
      expect([...ran.acknowledged].filter((id) => counts.get(id) !== 1)).toEqual([])
      expect([...counts].filter(([, count]) => count !== 1)).toEqual([])
      expect([...ran.unrun].filter((id) => counts.has(id))).toEqual([])
      expect(ran.others).toEqual([])
      // The trouble was real: some were told that it is not known, and some of those had run.
      expectTrouble(ran)
      expect(ran.ambiguous.size).toBeGreaterThan(20)
      expect([...ran.ambiguous].some((id) => counts.has(id))).toBe(true)
    },
  )

  it('fails no upsert that may run twice', { timeout: 200_000 }, async ({ annotate }) => {
    const ran = await runUnderTrouble(server, relay, (work, id) => work.upsert(id), ENOUGH / 2)
    const counts = await countsIn(server, 'upserted')
    await annotate(summary('upserts', ran))
    expect([...ran.ambiguous, ...ran.unrun, ...ran.others]).toEqual([])
    expect(ran.acknowledged.size).toBeGreaterThanOrEqual(ENOUGH / 2)
    expect([...ran.acknowledged].filter((id) => !counts.has(id))).toEqual([])
    expectTrouble(ran)
    expect(ran.replayed).toBeGreaterThan(20)
  })

  it('leaves no half of a transaction', { timeout: 200_000 }, async ({ annotate }) => {
    const ran = await runUnderTrouble(server, relay, (work, id) => work.pair(id), ENOUGH / 4)
    const counts = await countsIn(server, 'paired')
    await annotate(summary('transactions', ran))
    expect(ran.acknowledged.size).toBeGreaterThanOrEqual(ENOUGH / 4)
    expect([...ran.acknowledged].filter((id) => counts.get(id) !== 2)).toEqual([])
    expect([...counts].filter(([, count]) => count !== 2)).toEqual([])
    expectTrouble(ran)
    expect(ran.ambiguous.size).toBeGreaterThan(0)
  })
})

function expectTrouble({ trouble }: Ran): void {
  expect(trouble.restarts).toBe(1)
  expect(Math.min(trouble.kills, trouble.lostReplies)).toBeGreaterThanOrEqual(ENOUGH_TROUBLE)
}

const missing = engines.filter(({ available }) => !available)

describe.skipIf(missing.length > 0).each(missing)('$name is not on this machine: $remedy', () => {
  it('stands trouble', () => {})
})

function summary(what: string, ran: Ran): string {
  const { acknowledged, ambiguous, unrun, others, replayed, trouble } = ran
  return (
    `${what}: ${acknowledged.size} acknowledged, ${ambiguous.size} ambiguous, ${unrun.size} not run, ` +
    `${others.length} others, ${replayed} sent again; ${trouble.lostReplies} times replies lost, ` +
    `${trouble.kills} sessions killed, ${trouble.restarts} restart`
  )
}
