// What is found once logged in: all is well, or a version, a pooler, rights, clocks and leases that are not.
import { setTimeout as sleep } from 'node:timers/promises'

import { type Clock, systemClock } from '@leasehold/core'
import {
  type DatabaseServer,
  type Pgbouncer,
  startMariadb,
  startPgbouncer,
  startPostgres,
} from '@leasehold/test-databases'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { examine } from '../../../packages/cli/src/doctor/examine.ts'
import { Redactor } from '../../../packages/cli/src/doctor/redactor.ts'
import { eventually } from '../eventually.ts'
import { programsOf } from '../postgresql/majors.ts'
import { doctorScene, ENGINES, notRun, urlOf } from './scene.ts'

describe.each(ENGINES)('a sound $name', ({ name, scheme, start }) => {
  const scene = doctorScene()
  let server: DatabaseServer
  beforeAll(async () => {
    server = await start({
      maxConnections: 20,
      settings: name === 'MariaDB' ? { performance_schema: 'ON' } : {},
    })
  })
  afterAll(() => server.dispose())
  const url = (): string => {
    scene.collector.knows('the password', server.login.password)
    return urlOf(scheme, server)
  }

  it('passes every step, and is left as it was', async () => {
    const examined = await scene.doctor([url()])
    expect(examined.faults).toEqual([])
    expect(examined.exitCode).toBe(0)
    expect(notRun(examined)).toEqual([])
    expect(examined.step('version').findings[0]?.summary).toContain(server.version)
    const slots = server.slots + server.controlSessions
    expect(examined.step('slots').findings[0]?.facts).toMatchObject({ slotCount: slots, maxConnections: 20 })
    const lastedMs = Number(examined.step('lease').findings[0]?.facts?.['lastedMs'])
    expect(lastedMs).toBeGreaterThan(1_400)
    expect(lastedMs).toBeLessThan(5_000)
    await eventually('no session left', async () => (await server.sessions(server.login.user)).length === 0)
  })

  it('passes in words, with the line at the end that says so', async () => {
    const { exitCode, stderr, stdout } = await scene.leasehold(['doctor', url()])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(/^ {2}ok +lease +an idle session with a lease of 2\.0 s was ended after \d/m)
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('nothing is wrong')
  })

  it('says who holds the slots, and warns when they are short', async () => {
    const { host, port, database, login } = server
    const held = []
    while (held.length < server.slots - 2) {
      if (scheme === 'postgres') {
        const client = new pg.Client({ host, port, database, ...login, application_name: 'a job' })
        await client.connect()
        held.push(client)
      } else {
        const { createConnection } = await import('mysql2/promise')
        held.push(
          await createConnection({
            host,
            port,
            database,
            ...login,
            connectAttributes: { program_name: 'a job' },
          }),
        )
      }
    }
    const examined = await scene.doctor([url()])
    for (const one of held) await one.end()
    expect(examined.faults).toEqual(['PRESSURE_HIGH'])
    expect(examined.exitCode).toBe(0)
    expect(examined.step('pressure').findings[0]?.summary).toContain(
      `held by ${held.length} a job (${held.length} idle`,
    )
  })

  it('is not asked for a lease where the application wants none of it', async () => {
    const file = await scene.file(
      'options.json',
      JSON.stringify({ lease: 'client', maxLeaseMs: 400_000, queryTimeoutMs: 60_000 }),
    )
    if (scheme === 'postgres')
      await server.admin(`alter role ${server.login.user} set idle_session_timeout = '60s'`)
    if (scheme === 'postgres')
      await server.admin(`alter role ${server.login.user} set statement_timeout = '5s'`)
    else
      await server.admin(
        name === 'MySQL' ? 'set global max_execution_time = 5000' : 'set global max_statement_time = 5',
      )
    if (scheme === 'mysql') await server.admin('set global wait_timeout = 60')
    const examined = await scene.doctor([url(), '--options', file])
    expect(examined.step('lease').status).toBe('skipped')
    expect(examined.faults).toEqual(['LEASE_OUTLIVES_FLOW', 'IDLE_LIMIT_SHORTER', 'STATEMENT_LIMIT_SHORTER'])
    expect(examined.step('time').status).toBe('warning')
  })
})

describe('a server that can do less', () => {
  const scene = doctorScene()
  const disposing: { dispose(): Promise<void> }[] = []
  afterEach(async () => {
    for (const one of disposing.splice(0)) await one.dispose()
  })
  const started = async (server: Promise<DatabaseServer>): Promise<DatabaseServer> => {
    disposing.push(await server)
    scene.collector.knows('the password', (await server).login.password)
    return server
  }

  it('is named where its version holds no leases: PostgreSQL 13', async () => {
    const server = await started(startPostgres({ programs: programsOf(13), maxConnections: 12 }))
    const examined = await scene.doctor([urlOf('postgres', server)])
    expect(examined.exitCode).toBe(1)
    expect(examined.faults).toEqual(['VERSION_TOO_OLD', 'LEASE_REFUSED'])
    expect(examined.step('slots').status).toBe('fine')
  })

  it('is named where it shows no labels: MariaDB as it comes', async () => {
    const server = await started(startMariadb())
    const examined = await scene.doctor([urlOf('mysql', server)])
    expect(examined.faults).toEqual(['LABELS_HIDDEN'])
    expect(examined.exitCode).toBe(0)
  })

  it.each(ENGINES.filter(({ name }) => name === 'MySQL'))(
    'is named where it shows no labels: $name without performance_schema, which it counts without',
    async ({ start }) => {
      const server = await started(start({ settings: { performance_schema: 'OFF' } }))
      const examined = await scene.doctor([urlOf('mysql', server)])
      expect(examined.faults).toEqual(['LABELS_HIDDEN'])
      expect(examined.step('rights').findings[0]).toMatchObject({ status: 'fine' })
      expect(examined.exitCode).toBe(0)
    },
  )

  it.each([
    ['revoke execute on function pg_stat_get_activity(int) from public', 'CENSUS_REFUSED'],
    ['revoke execute on function pg_terminate_backend(int, bigint) from public', 'TERMINATION_REFUSED'],
    ['revoke select on pg_stat_activity from public', 'UNEXPECTED'],
  ])('is named where the login lacks what every login has: %s', async (statement, fault) => {
    const server = await started(startPostgres({ maxConnections: 12 }))
    await server.admin(statement)
    const examined = await scene.doctor([urlOf('postgres', server)])
    expect(examined.faults).toContain(fault)
    expect(examined.step('lease').status).toBe('fine')
  })

  it.each([
    ['refuses', {}],
    ['ignores', { ignore_startup_parameters: 'extra_float_digits,options' }],
  ])(
    'is named behind a PgBouncer in transaction mode that %s what asks for a lease',
    async (_how, settings) => {
      const server = await started(startPostgres({ maxConnections: 12 }))
      const pooler: Pgbouncer = await startPgbouncer(server, settings)
      disposing.unshift(pooler)
      const examined = await scene.doctor([
        urlOf('postgres', server, { host: pooler.host, port: pooler.port }),
      ])
      expect(examined.exitCode).toBe(1)
      expect(examined.faults).toEqual(['PROXY_BETWEEN', 'LEASE_REFUSED'])
      // What would be ended is the pooler's.
      expect(examined.step('rights').findings.at(-1)).toMatchObject({ status: 'skipped' })
    },
  )

  it('is fine behind a pooler where no lease is asked for', async () => {
    const server = await started(startPostgres({ maxConnections: 12 }))
    const pooler = await startPgbouncer(server)
    disposing.unshift(pooler)
    const options = await scene.file('options.json', JSON.stringify({ lease: 'client' }))
    const url = urlOf('postgres', server, { host: pooler.host, port: pooler.port })
    const examined = await scene.doctor([url, '--options', options])
    expect(examined.faults).toEqual([])
    expect(examined.step('proxy').findings[0]?.summary).toContain('no lease is asked for')
  })

  const shifted = (byMs: number): Clock => ({ ...systemClock, epochMs: () => systemClock.epochMs() + byMs })

  it.each([
    [60_000, 'ahead of'],
    [-60_000, 'behind'],
  ])('is told from a machine whose clock is wrong by %i ms', async (byMs, way) => {
    const server = await started(startPostgres({ maxConnections: 12 }))
    const examined = await scene.doctor([urlOf('postgres', server)], {}, shifted(byMs))
    expect(examined.faults).toEqual(['CLOCK_SKEWED'])
    expect(examined.step('time').findings[0]?.summary).toContain(`60 s ${way} the server's`)
    expect(examined.exitCode).toBe(0)
  })

  it('is told from a clock that no signature survives, where one is needed', async () => {
    const server = await started(startPostgres({ maxConnections: 12 }))
    const { user, password } = server.login
    const source = `{ isClearText: false, get: async () => ({ user: '${user}', password: '${password}' }) }`
    const { host, port, database } = server
    const place = JSON.stringify({ engine: 'postgresql', host, port, database })
    const file = await scene.file(
      'options.mjs',
      `export const options = { ...${place}, credentials: ${source} }`,
    )
    const examined = await scene.doctor(['--options', file], {}, shifted(600_000))
    expect(examined.step('time')).toMatchObject({
      status: 'wrong',
      findings: [{ fault: 'CLOCK_SKEWED' }, {}],
    })
    expect(examined.exitCode).toBe(1)
  })

  const target = ({ host, port, database, login }: DatabaseServer): Parameters<typeof examine>[0] => ({
    protocol: 'postgresql',
    options: { host, port, database, ...login },
  })
  const parts = { clock: systemClock, env: {}, limitMs: 5_000 }

  it('is named where it does not end a session whose lease is over', async () => {
    const server = await started(startPostgres({ maxConnections: 12 }))
    const frozen: number[] = []
    const report = await examine(target(server), {
      ...parts,
      redactor: new Redactor(),
      // A server process that does not run can't look at its clock.
      onStep: ({ step }) => {
        if (step !== 'time') return
        void (async () => {
          await sleep(500)
          for (const { id } of await server.sessions(server.login.user)) {
            process.kill(id, 'SIGSTOP')
            frozen.push(id)
          }
        })()
      },
    })
    for (const id of frozen) process.kill(id, 'SIGCONT')
    expect(frozen).not.toEqual([])
    expect(report.steps.at(-1)?.findings).toMatchObject([{ fault: 'LEASE_NOT_HELD' }])
    expect(report.isFine).toBe(false)
  })

  it('is named where somebody ends the session before its lease is over', async () => {
    const server = await started(startPostgres({ maxConnections: 12 }))
    const report = await examine(target(server), {
      ...parts,
      redactor: new Redactor(),
      onStep: ({ step }) => {
        if (step !== 'time') return
        void (async () => {
          await sleep(500)
          for (const { id } of await server.sessions(server.login.user)) await server.terminate(id)
        })()
      },
    })
    expect(report.steps.at(-1)?.findings).toMatchObject([{ fault: 'CONNECTION_LOST' }])
  })
})
