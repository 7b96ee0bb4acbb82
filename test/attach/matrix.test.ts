// Code that nobody changed, in every form: what its connections survive with attachment, and do not without.
import type { LambdaFunction } from '@leasehold/lambda-emulator'
import { startMariadb, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../conformance/subject.ts'
import { ensureBuilt } from '../packed/workspace.ts'
import { BUNDLINGS, FORMATS, type Functions, KINDS, writeFunctions } from './functions.ts'
import { type Cell, deploy, FAULTS, NODE_NAMES, type Place, startPlace } from './scene.ts'

const CELLS: readonly Cell[] = KINDS.flatMap((kind) =>
  BUNDLINGS.flatMap((bundling) =>
    FORMATS.flatMap((format) => NODE_NAMES.map((node) => ({ kind, bundling, format, node }))),
  ),
)

const GROUPS = [
  ['PostgreSQL', 'pg', startPostgres],
  ['MariaDB', 'mysql2', startMariadb],
] as const

let functions: Functions

beforeAll(async () => {
  await ensureBuilt()
  functions = await writeFunctions()
})
afterAll(async () => {
  await functions?.[Symbol.asyncDispose]()
})

interface Outcome {
  readonly lambda: LambdaFunction
  /** What each request came to, by what happened before it. */
  readonly answers: Record<string, unknown>
}

async function ask({ lambda, answers }: Outcome, after: string): Promise<void> {
  const { payload, error, timedOut } = await lambda.invoke({}, { settle: true })
  answers[after] = timedOut ? 'timed out' : (error?.errorMessage ?? payload)
}

const ONE = [{ one: 1 }]
const GOOD = Object.fromEntries(['nothing', ...Object.keys(FAULTS)].map((after) => [after, ONE]))

describe.each(GROUPS)('functions on %s', (_, driver, start) => {
  const cells = CELLS.filter(({ kind }) => kind.startsWith(driver))
  const attached = new Map<Cell, Outcome>()
  const bare = new Map<Cell, Outcome>()
  let place: Place
  let sessionsBefore = 0
  let sessionsAfter = Number.NaN

  beforeAll(async () => {
    place = await startPlace(() => start({ maxConnections: 100 }))
    for (const cell of cells) {
      attached.set(cell, { lambda: deploy(functions, place, cell, { attached: true }), answers: {} })
      const lambda = { timeoutMs: 4_000 }
      bare.set(cell, { lambda: deploy(functions, place, cell, { attached: false, lambda }), answers: {} })
    }
    const all = [...attached.values(), ...bare.values()]
    await Promise.all(all.map((outcome) => ask(outcome, 'nothing')))
    await FAULTS['a black hole']?.(place)
    // Waits for its timeout, each of them.
    await Promise.all([...bare.values()].map((outcome) => ask(outcome, 'a black hole')))
    await Promise.all([...bare.values()].map(({ lambda }) => lambda.dispose()))
    await Promise.all([...attached.values()].map((outcome) => ask(outcome, 'a black hole')))
    for (const after of ['a server-side close', 'a reset']) {
      await FAULTS[after]?.(place)
      await Promise.all([...attached.values()].map((outcome) => ask(outcome, after)))
    }
    const environments = [...attached.values()].flatMap(({ lambda }) => lambda.environments)
    sessionsBefore = (await place.server.sessions()).length
    await Promise.all(environments.map((environment) => environment.reclaim()))
    await eventually('no session left', async () => (await place.server.sessions()).length === 0).catch(
      () => undefined,
    )
    sessionsAfter = (await place.server.sessions()).length
  })
  afterAll(async () => {
    await Promise.all([...attached.values(), ...bare.values()].map(({ lambda }) => lambda.dispose()))
    await place?.[Symbol.asyncDispose]()
  })

  it.each(cells)('answer after each fault: $kind, $bundling, $format, $node', (cell) => {
    const { lambda, answers } = attached.get(cell) as Outcome
    expect(answers).toEqual(GOOD)
    // Not by starting over.
    expect(lambda.environments).toHaveLength(1)
    const said = lambda.environments[0]?.log.filter((line) => line.includes('"cause":"attached"'))
    expect(said).toHaveLength(1)
  })

  it.each(cells)('time out in a black hole without attachment: $kind, $bundling, $format, $node', (cell) => {
    expect(bare.get(cell)?.answers).toEqual({ nothing: ONE, 'a black hole': 'timed out' })
  })

  it('leave no session when they are reclaimed', () => {
    expect(sessionsBefore).toBeGreaterThanOrEqual(cells.length)
    expect(sessionsAfter).toBe(0)
  })
})
