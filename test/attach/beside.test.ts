// Attachment beside other tools, in part, by the plugin, and where it cannot be had: the function runs in any case.
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Environment, LambdaFunction } from '@leasehold/lambda-emulator'
import { startMariadb, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../conformance/subject.ts'
import { ensureBuilt } from '../packed/workspace.ts'
import { FORMATS, type Functions, KINDS, type Kind, writeFunctions } from './functions.ts'
import { type Cell, deploy, type Deployed, FAULTS, type Place, PRELOAD, startPlace } from './scene.ts'

const preload = (name: string): string => fileURLToPath(new URL(`preloads/${name}.mjs`, import.meta.url))
const LOOK = preload('look')
const TELEMETRY = preload('opentelemetry')
const ONE = [{ one: 1 }]

let functions: Functions
let postgres: Place
let mariadb: Place

beforeAll(async () => {
  await ensureBuilt()
  ;[functions, postgres, mariadb] = await Promise.all([
    writeFunctions(),
    startPlace(() => startPostgres({ maxConnections: 60 })),
    startPlace(() => startMariadb({ maxConnections: 60 })),
  ])
})
afterAll(async () => {
  for (const one of [postgres, mariadb, functions]) await one?.[Symbol.asyncDispose]()
})

const placeOf = (kind: Kind): Place => (kind.startsWith('pg') ? postgres : mariadb)

const PLAIN = { bundling: 'unbundled', format: 'CJS', node: 'Node 24' } as const

function deployed(cell: Partial<Cell> & { readonly kind: Kind }, how: Deployed): LambdaFunction {
  return deploy(functions, placeOf(cell.kind), { ...PLAIN, ...cell }, how)
}

const answer = async (lambda: LambdaFunction, event: object = {}): Promise<unknown> => {
  const { payload, error } = await lambda.invoke(event, { settle: true })
  return error === undefined ? payload : error.errorMessage
}

const said = (lambda: LambdaFunction): string[] =>
  lambda.environments.flatMap(({ log }) => log.filter((line) => line.includes('leasehold:')))

async function closed(lambda: LambdaFunction, { server }: Place): Promise<void> {
  const { pid } = lambda.environments[0] as Environment
  expect(pid).toBeDefined()
  expect((await server.sessions()).length).toBeGreaterThan(0)
  expect(await lambda.environments[0]?.reclaim()).toMatchObject({ killed: false })
  await eventually('no session left', async () => (await server.sessions()).length === 0)
}

describe('OpenTelemetry’s instrumentation beside attachment', () => {
  const cells = KINDS.flatMap((kind) => FORMATS.map((format) => ({ kind, format })))
  const variables = { LEASEHOLD_LEASE: 'off' }

  it.each(cells)('sees the same of a $kind in $format, whichever is loaded first', async (cell) => {
    const ways = [
      { attached: false, before: [TELEMETRY] },
      { attached: true, variables, before: [TELEMETRY] },
      { attached: true, variables, after: [TELEMETRY] },
    ]
    const lambdas = ways.map((way) => deployed(cell, way))
    try {
      expect(await Promise.all(lambdas.map((lambda) => answer(lambda)))).toEqual([ONE, ONE, ONE])
      const [bare, ...spans] = await Promise.all(lambdas.map((lambda) => answer(lambda, { look: 'spans' })))
      expect(bare).not.toEqual([])
      // An empty statement is ours: whether the session is still there.
      expect(
        spans.map((names) => (names as string[]).filter((name) => !name.startsWith('pg.query: '))),
      ).toEqual([bare, bare])
      await FAULTS['a black hole']?.(placeOf(cell.kind))
      expect(await Promise.all(lambdas.slice(1).map((lambda) => answer(lambda)))).toEqual([ONE, ONE])
    } finally {
      await Promise.all(lambdas.map((lambda) => lambda.dispose()))
    }
  })
})

describe.each([
  ['pg Client', 'set search_path to public'],
  ['mysql2 connection', 'set @shop = 1'],
] as const)('a %s whose session is over', (kind, setting) => {
  const close = async (): Promise<void> => FAULTS['a server-side close']?.(placeOf(kind))

  it('has the driver’s own error where the session held something', async () => {
    await using lambda = deployed({ kind }, { attached: true })
    await answer(lambda, { sql: setting })
    await close()
    for (let request = 0; request < 2; request += 1) expect(await answer(lambda)).toEqual(expect.any(String))
  })

  it('goes on with nothing of a transaction that was lost, and with what comes after it', async () => {
    await using lambda = deployed({ kind }, { attached: true })
    await answer(lambda, { sql: 'begin' })
    await close()
    expect(await answer(lambda)).toEqual(expect.any(String))
    expect(await answer(lambda, { sql: 'rollback' })).toEqual(expect.any(String))
    expect(await answer(lambda)).toEqual(ONE)
    await answer(lambda, { sql: 'begin' })
    await close()
    expect(await answer(lambda, { sql: 'begin' })).not.toEqual(expect.any(String))
    expect(await answer(lambda)).toEqual(ONE)
  })
})

describe('level 0, for pools that nothing governs', () => {
  it.each(['pg Pool', 'mysql2 pool'] as const)(
    'drops dead sockets of a %s before its handler runs',
    async (kind) => {
      const place = placeOf(kind)
      await using lambda = deployed(
        { kind },
        {
          attached: true,
          before: [LOOK],
          variables: {
            LEASEHOLD_ATTACH: 'sockets',
            LEASEHOLD_DATABASE_PORTS: String(place.relay.port),
            LEASEHOLD_DROP_AFTER_MS: '0',
          },
        },
      )
      expect(await answer(lambda)).toEqual(ONE)
      for (const fault of Object.values(FAULTS)) {
        await fault(place)
        expect(await answer(lambda)).toEqual(ONE)
      }
      expect(await answer(lambda, { look: 'attachment' })).toMatchObject({
        level: 'sockets',
        governed: {},
        sockets: { dropped: expect.any(Number) },
      })
      expect(await answer(lambda)).toEqual(ONE)
      expect(lambda.environments).toHaveLength(1)
      expect(said(lambda)).toEqual([])
      await closed(lambda, place)
    },
  )

  it('leaves a socket alone that was silent for less than it may be', async () => {
    const variables = { LEASEHOLD_ATTACH: 'sockets', LEASEHOLD_DATABASE_PORTS: String(postgres.relay.port) }
    await using lambda = deployed({ kind: 'pg Pool' }, { attached: true, before: [LOOK], variables })
    for (let request = 0; request < 3; request += 1) expect(await answer(lambda)).toEqual(ONE)
    expect(await answer(lambda, { look: 'attachment' })).toMatchObject({ sockets: { open: 1, dropped: 0 } })
  })
})

describe('the plugin for esbuild', () => {
  it('has the drivers of a bundle make themselves known, though nobody watches for their shape', async () => {
    const how = { attached: true, before: [preload('no-shapes'), LOOK], after: [preload('no-shapes-again')] }
    for (const kind of KINDS) {
      await using unseen = deployed({ kind, bundling: 'esbuild minified' }, how)
      await using known = deployed({ kind, bundling: 'esbuild with the plugin' }, how)
      expect([await answer(unseen), await answer(known)]).toEqual([ONE, ONE])
      expect(await answer(unseen, { look: 'attachment' })).toMatchObject({ governed: {} })
      const { governed } = (await answer(known, { look: 'attachment' })) as { governed: object }
      expect(Object.values(governed)).toEqual([1])
    }
  })
})

describe('attachment by a preload', () => {
  it('knows each invocation and its time, though Lambda’s runtime client loads after it', async () => {
    const variables = { LEASEHOLD_AFTER_RESPONSE: 'true' }
    await using lambda = deployed({ kind: 'pg Pool' }, { attached: true, before: [LOOK], variables })
    expect(lambda.runtime).toBe('aws')
    expect(await answer(lambda)).toEqual(ONE)
    expect(await answer(lambda, { look: 'process' })).toEqual({ hold: true, invocation: true })
    await closed(lambda, postgres)
  })

  it('is begun once, however often it is preloaded', async () => {
    const after = [`${PRELOAD}?again`, LOOK]
    await using lambda = deployed({ kind: 'pg Pool' }, { attached: true, after })
    expect(await answer(lambda)).toEqual(ONE)
    expect(await answer(lambda, { look: 'attachment' })).toMatchObject({ governed: { 'pg.Pool': 1 } })
    expect(said(lambda)).toHaveLength(1)
  })

  it('is off where the environment says so', async () => {
    const variables = { LEASEHOLD_ATTACH: 'off' }
    await using lambda = deployed({ kind: 'pg Pool' }, { attached: true, before: [LOOK], variables })
    expect(await answer(lambda)).toEqual(ONE)
    expect(await answer(lambda, { look: 'attachment' })).toMatchObject({ level: 'off', governed: {} })
    expect(said(lambda)).toEqual([])
  })

  it('says a wrong variable once, and the function runs ungoverned', async () => {
    const variables = { LEASEHOLD_MAX_LEASE_MS: 'soon', LEASEHOLD_FLEETS: 'shop' }
    await using lambda = deployed({ kind: 'pg Pool' }, { attached: true, before: [LOOK], variables })
    expect([await answer(lambda), await answer(lambda)]).toEqual([ONE, ONE])
    expect(await answer(lambda, { look: 'attachment' })).toMatchObject({ level: 'sockets', governed: {} })
    expect(said(lambda)).toEqual([
      expect.stringMatching(
        /did you mean `LEASEHOLD_FLEET`.*`LEASEHOLD_MAX_LEASE_MS` must be a whole number/,
      ),
    ])
  })
})

describe('attachment where parts of it are missing', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leasehold-parts-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const packages = fileURLToPath(new URL('../../packages', import.meta.url))
  const copy = (name: string, what: string): Promise<void> =>
    cp(join(packages, name, what), join(folder, 'node_modules/@leasehold', name, what), {
      recursive: true,
      dereference: true,
    })

  it.each([
    ['all but its first file', [], /attached to nothing/],
    ['the adapters', ['core'], /pg\.Pool is left as it is: Cannot find module '@leasehold\/pg-adapter/],
  ])('lets the function run: %s', async (_, others, line) => {
    await copy('attach', others.length === 0 ? 'dist/preload.mjs' : 'dist')
    await copy('attach', 'package.json')
    for (const name of others)
      for (const what of ['dist', 'package.json', 'node_modules']) await copy(name, what)
    const from = join(folder, 'node_modules/@leasehold/attach/dist/preload.mjs')
    await using lambda = deployed({ kind: 'pg Pool' }, { attached: false, before: [from] })
    expect([await answer(lambda), await answer(lambda)]).toEqual([ONE, ONE])
    expect(said(lambda)).toEqual([expect.stringMatching(line)])
  })
})
