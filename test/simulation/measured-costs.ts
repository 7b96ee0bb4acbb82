// Measures on a real server and in real environments what the simulator has to know. CPU time, client and server together.
import { leaseLadder, resolveOptions } from '@leasehold/core'
import type { LambdaFunction } from '@leasehold/lambda-emulator'
import { mariadbDialect } from '@leasehold/mysql-adapter'
import { postgresDialect } from '@leasehold/pg-adapter'
import type { DatabaseServer } from '@leasehold/test-databases'
import mysql2 from 'mysql2/promise'
import pg from 'pg'

import { countsOf, runFleet } from '../frozen/fleet.ts'
import { deployBuilt } from './built-fleet.ts'
import type { Costs } from './costs.ts'
import { cpuTimes } from './process-times.ts'

interface Connection {
  run(sql: string): Promise<unknown>
  end(): Promise<unknown>
}

const REPEATS = 120
const WORK_MS = 20
/** Part of a connect and its end that falls on the end; not told apart by the measurement. */
const END_SHARE = 0.15
/** A session more in a census: 0.40 ms at 10 sessions, 0.94 ms at 400, client and server together; not measured each time. */
const CENSUS_PER_SESSION_MS = { postgresql: 0.0014, mysql: 0 }
const MEASURED_MS = 5_000
/** One request in so many closes its connection: about as rarely as under contention. */
const LEAVE_EVERY = 15
/** How long a request asks a full server: three or four times. */
const REFUSED_MS = 400

async function openOn(server: DatabaseServer): Promise<Connection> {
  const { engine, host, port, database, login } = server
  if (engine === 'postgresql') {
    const client = new pg.Client({ host, port, database, ...login })
    client.on('error', () => {})
    await client.connect()
    return { run: (sql) => client.query(sql), end: () => client.end() }
  }
  const connection = await mysql2.createConnection({ host, port, database, ...login })
  return { run: (sql) => connection.query(sql), end: () => connection.end() }
}

/** CPU milliseconds of one `work`, over many. */
async function cpuOf(count: number, work: () => Promise<unknown>): Promise<number> {
  const before = cpuTimes()
  for (let index = 0; index < count; index += 1) await work()
  return (cpuTimes().ownMs - before.ownMs) / count
}

async function connectAndEnd(server: DatabaseServer, statement?: string): Promise<void> {
  const connection = await openOn(server)
  if (statement !== undefined) await connection.run(statement)
  await connection.end()
}

/** Every slot is taken, by sessions that nobody governs; the result frees them. */
async function fill(server: DatabaseServer): Promise<() => Promise<void>> {
  const holders: Connection[] = []
  for (let index = 0; index < server.slots; index += 1) holders.push(await openOn(server))
  return async () => {
    for (const holder of holders) await holder.end()
  }
}

async function refusedOn(server: DatabaseServer): Promise<number> {
  const free = await fill(server)
  const refusedMs = await cpuOf(REPEATS, async () => {
    const opened = await openOn(server).catch(() => undefined)
    if (opened !== undefined) throw new Error('a connect was not refused: the costs cannot be measured')
  })
  await free()
  return refusedMs
}

async function statementOn(server: DatabaseServer): Promise<number> {
  const connection = await openOn(server)
  const sql = server.engine === 'postgresql' ? 'select pg_sleep(0)' : 'select sleep(0)'
  const statementMs = await cpuOf(10 * REPEATS, () => connection.run(sql))
  await connection.end()
  return statementMs
}

function censusOf(server: DatabaseServer): string {
  const ladder = leaseLadder(resolveOptions({}))
  const dialect = server.engine === 'postgresql' ? postgresDialect : mariadbDialect
  return dialect.censusAndLease(0, ladder)
}

interface InvocationCosts {
  readonly requestMs: number
  readonly firstMs: number
  readonly latencyMs: number
  readonly freezeMs: number
}

async function invocationsOn(server: DatabaseServer): Promise<InvocationCosts> {
  const count = Math.min(20, Math.ceil(0.75 * server.slots))
  await using fleet = deployBuilt('costs', server)
  await fleet.scaleTo(count)
  const cold = cpuTimes()
  await Promise.all(Array.from({ length: count }, () => fleet.invoke({}, { settle: true })))
  const firstMs = (cpuTimes().ownMs - cold.ownMs) / count
  const warm = cpuTimes()
  const { answered } = await runFleet(fleet, count, 4_000)
  const requestMs = (cpuTimes().ownMs - warm.ownMs) / answered
  return { requestMs, firstMs, ...(await oneByOne(fleet)) }
}

/** A single environment at a time, which nobody hinders: the delays that cost nothing. */
async function oneByOne(fleet: LambdaFunction): Promise<Pick<InvocationCosts, 'latencyMs' | 'freezeMs'>> {
  const latencies: number[] = []
  const freezes: number[] = []
  for (let index = 0; index < 60; index += 1) {
    const { latencyMs } = await fleet.invoke({})
    const answeredMs = performance.now()
    await fleet.settled()
    latencies.push(latencyMs)
    freezes.push(performance.now() - answeredMs)
  }
  return { latencyMs: unhindered(latencies), freezeMs: unhindered(freezes) }
}

/** What it takes when nobody else has the processor: noise only adds. */
function unhindered(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 10)] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** What things cost one after the other, by themselves on the machine. */
export async function measureAlone(server: DatabaseServer): Promise<Costs> {
  await connectAndEnd(server)
  const bothMs = await cpuOf(REPEATS, () => connectAndEnd(server))
  const withCensusMs = await cpuOf(REPEATS, () => connectAndEnd(server, censusOf(server)))
  const statementMs = await statementOn(server)
  const refusedMs = await refusedOn(server)
  const invocations = await invocationsOn(server)
  const { requestMs, latencyMs, freezeMs } = invocations
  const invokeMs = Math.max(0, requestMs - statementMs)
  const connectMs = bothMs * (1 - END_SHARE)
  return rounded(server, {
    connectMs,
    refusedMs: Math.min(refusedMs, connectMs),
    endMs: bothMs * END_SHARE,
    statementMs,
    censusMs: Math.max(statementMs, withCensusMs - bothMs),
    setLeaseMs: statementMs,
    invokeMs,
    firstMs: Math.max(0, invocations.firstMs - requestMs - connectMs),
    // The response is posted when most of the CPU time has been spent, on more than one core.
    overheadMs: Math.max(0, latencyMs - WORK_MS - statementMs - invokeMs),
    freezeMs,
    roundTripMs: 0.05,
  })
}

/**
 * What the same costs in a fleet that keeps the machine busy. An environment connects so rarely that its code for it
 * is never compiled well, and everybody's caches are cold: a connect takes two or three times as long there.
 *
 * @param roomy has slots for every environment; `tight` has fewer
 * @param environments as many as in the contention that is simulated: what is rare in each is cold in each
 */
export async function measureBusy(
  alone: Costs,
  roomy: DatabaseServer,
  tight: DatabaseServer,
  environments: number,
): Promise<Costs> {
  const { requestMs, bothMs, firstMs } = await warmAndLeaving(roomy, environments)
  const statementShare = alone.statementMs / (alone.statementMs + alone.invokeMs)
  const statementMs = requestMs * statementShare
  const invokeMs = requestMs - statementMs
  const slower = requestMs / (alone.statementMs + alone.invokeMs)
  const refusedMs = await refusedInFleet(tight, environments - tight.slots, invokeMs)
  const connectMs = bothMs * (1 - END_SHARE)
  return rounded(tight, {
    ...alone,
    connectMs,
    refusedMs: Math.min(refusedMs, connectMs),
    endMs: bothMs * END_SHARE,
    statementMs,
    censusMs: alone.censusMs * slower,
    setLeaseMs: statementMs,
    invokeMs,
    firstMs: Math.max(0, firstMs),
  })
}

/** CPU time of a warm request, of an end and a connect between two of them, and of being cold. */
async function warmAndLeaving(
  server: DatabaseServer,
  count: number,
): Promise<{ readonly requestMs: number; readonly bothMs: number; readonly firstMs: number }> {
  await using fleet = deployBuilt('leaving', server)
  await fleet.scaleTo(count)
  const cold = cpuTimes()
  const first = await runFleet(fleet, count, 1_000)
  const coldMs = cpuTimes().ownMs - cold.ownMs
  const warm = cpuTimes()
  const { answered } = await runFleet(fleet, count, MEASURED_MS)
  const requestMs = (cpuTimes().ownMs - warm.ownMs) / answered
  const { opened } = await countsOf(fleet, count)
  const leaving = cpuTimes()
  const run = await runFleet(fleet, count, MEASURED_MS, (request) =>
    request % LEAVE_EVERY === 0 ? { ask: 'leave' } : {},
  )
  const leavingMs = cpuTimes().ownMs - leaving.ownMs
  const connects = (await countsOf(fleet, count)).opened - opened
  const bothMs = (leavingMs - run.answered * requestMs) / connects
  // Not the first request alone: those of the first second are all dearer, until their code is compiled.
  const firstMs = (coldMs - first.answered * requestMs) / count - bothMs
  return { requestMs, bothMs, firstMs }
}

/** CPU time of one refused attempt, in as many environments as wait for a slot under contention. */
async function refusedInFleet(server: DatabaseServer, count: number, invokeMs: number): Promise<number> {
  await using fleet = deployBuilt('refused', server, { acquireTimeoutMs: REFUSED_MS })
  await fleet.scaleTo(count)
  const free = await fill(server)
  await runFleet(fleet, count, 1_000)
  const before = await countsOf(fleet, count)
  const start = cpuTimes()
  const run = await runFleet(fleet, count, MEASURED_MS)
  const spentMs = cpuTimes().ownMs - start.ownMs
  const refused = (await countsOf(fleet, count)).refused - before.refused
  await free()
  if (run.answered > 0) throw new Error('a full server had a slot: the costs cannot be measured')
  return (spentMs - run.failures.length * invokeMs) / refused
}

function rounded(server: DatabaseServer, figures: Omit<Costs, 'censusPerSessionMs'>): Costs {
  const all = Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(3))])
  const censusPerSessionMs = CENSUS_PER_SESSION_MS[server.engine === 'postgresql' ? 'postgresql' : 'mysql']
  return { ...(Object.fromEntries(all) as typeof figures), censusPerSessionMs }
}
