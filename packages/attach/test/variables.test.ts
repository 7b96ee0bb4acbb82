import { readFile, writeFile } from 'node:fs/promises'

import { FIELDS, LeaseholdError } from '@leasehold/core'
import { describe, expect, it } from 'vitest'

import { readSettings } from '../src/variables/settings.ts'
import { variableOf, VARIABLES, variablesTable } from '../src/variables/variables.ts'

const problemsOf = (env: Record<string, string>): string => {
  const { problem } = readSettings(env)
  expect(LeaseholdError.is(problem)).toBe(true)
  return problem?.message ?? ''
}

describe('the variables', () => {
  it('are named as options are', () => {
    expect(variableOf('maxLeaseMs')).toBe('LEASEHOLD_MAX_LEASE_MS')
    expect(variableOf('backoff.baseMs')).toBe('LEASEHOLD_BACKOFF_BASE_MS')
    expect(variableOf('fleet')).toBe('LEASEHOLD_FLEET')
  })

  it('are there for every option: its own, or what stands for an object or a function', () => {
    const names = Object.values(VARIABLES).map(({ name }) => name)
    const standIns: Readonly<Record<string, string>> = { credentials: 'LEASEHOLD_SECRET_ARN' }
    for (const option of Object.keys(FIELDS)) expect(names).toContain(standIns[option] ?? variableOf(option))
    expect(new Set(names).size).toBe(names.length)
  })

  it('are in the guide as they are (rewritten when LEASEHOLD_WRITE_DOCS is set)', async () => {
    const file = new URL('../../../docs/attach.md', import.meta.url)
    const page = await readFile(file, 'utf8')
    const part = /(<!-- variables -->\n)([^]*?)(?=\n## )/
    if (process.env['LEASEHOLD_WRITE_DOCS'] === undefined) {
      expect(cellsIn(part.exec(page)?.[2] ?? '')).toEqual(cellsIn(variablesTable()))
    } else {
      await writeFile(
        file,
        page.replace(part, (_, mark: string) => `${mark}\n${variablesTable()}\n`),
      )
    }
  })
})

/** Whatever the spaces that align them. */
function cellsIn(table: string): string[][] {
  const rows = table.split('\n').filter((line) => line.startsWith('|'))
  return rows.map((row) => row.split('|').map((cell) => cell.trim().replace(/^-+$/, '---')))
}

describe('settings of the environment', () => {
  it('are the defaults where nothing is set, an empty text included', () => {
    const { problem, options, ...rest } = readSettings({ LEASEHOLD_FLEET: '', HOME: '/' })
    expect(problem).toBeUndefined()
    expect(rest).toEqual({
      level: 'drivers',
      dropAfterMs: Infinity,
      databasePorts: [5432, 5433, 6432, 3306],
      maxConnections: undefined,
      afterResponse: false,
      afterResponseMs: 20,
    })
    expect(options().fleet).toBeUndefined()
  })

  it('have silent sockets dropped only where that was asked for, and no variable is wrong', () => {
    expect(readSettings({ LEASEHOLD_ATTACH: 'sockets' }).dropAfterMs).toBe(60_000)
    expect(readSettings({ LEASEHOLD_DROP_AFTER_MS: '0' }).dropAfterMs).toBe(0)
    const wrong = { LEASEHOLD_ATTACH: 'sockets', LEASEHOLD_DROP_AFTER_MS: '0', LEASEHOLD_REAP: 'perhaps' }
    expect(readSettings(wrong).dropAfterMs).toBe(Infinity)
  })

  it('are read into options', () => {
    const { problem, options, databasePorts, maxConnections } = readSettings({
      LEASEHOLD_FLEET: 'shop',
      LEASEHOLD_MAX_LEASE_MS: '60000',
      LEASEHOLD_TARGET_PRESSURE: '0.7',
      LEASEHOLD_REAP: 'false',
      LEASEHOLD_BACKOFF_CAP_MS: '500',
      LEASEHOLD_LEASE: 'client',
      LEASEHOLD_DATABASE_PORTS: '6543, 5432',
      LEASEHOLD_MAX_CONNECTIONS: '2',
    })
    expect(problem).toBeUndefined()
    expect(options()).toMatchObject({
      fleet: 'shop',
      maxLeaseMs: 60_000,
      targetPressure: 0.7,
      reap: false,
      backoff: { capMs: 500 },
      lease: 'client',
    })
    expect({ databasePorts, maxConnections }).toEqual({ databasePorts: [6543, 5432], maxConnections: 2 })
  })

  it('make sources of credentials and sinks', () => {
    for (const iam of ['rds', 'true', 'dsql']) {
      expect(readSettings({ LEASEHOLD_IAM: iam }).options().credentials).toMatchObject({ isClearText: true })
    }
    const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf'
    expect(readSettings({ LEASEHOLD_SECRET_ARN: arn }).options().credentials?.get).toBeTypeOf('function')
    const sink = {
      LEASEHOLD_METRICS: 'emf',
      LEASEHOLD_METRICS_NAMESPACE: 'Shop',
      LEASEHOLD_METRICS_EVERY_MS: '5000',
    }
    expect(readSettings(sink).options().metrics).toMatchObject({ everyMs: 5_000 })
  })

  it("ask the layer's sidecar for all that it has", () => {
    const both = {
      LEASEHOLD_SIDECAR: 'on',
      LEASEHOLD_NEXT_WRAPPER: '/opt/other',
      LEASEHOLD_METRICS: 'sidecar',
    }
    const tokens = readSettings({ ...both, LEASEHOLD_IAM: 'rds', LEASEHOLD_IAM_SOURCE: 'sidecar' })
    const secrets = readSettings({
      ...both,
      LEASEHOLD_SECRET_ARN: 'shop',
      LEASEHOLD_SECRET_SOURCE: 'sidecar',
    })
    for (const { options, problem } of [tokens, secrets]) {
      expect(problem).toBeUndefined()
      expect(options().credentials?.get).toBeTypeOf('function')
      // Where no sidecar is on, as here, this process sends them itself.
      expect(options().metrics).toMatchObject({ everyMs: 60_000 })
    }
  })

  it('run a statement on each session where one is given', async () => {
    const { onSession } = readSettings({ LEASEHOLD_ON_SESSION: 'set search_path to shop' }).options()
    const told: unknown[] = []
    await onSession?.({ query: (sql: string) => told.push(sql) })
    expect(told).toEqual(['set search_path to shop'])
  })

  it('name each wrong variable and what it must be, all at once, and leave sockets alone to be guarded', () => {
    const wrong = {
      LEASEHOLD_MAX_LEASE_MS: 'long',
      LEASEHOLD_REAP: 'perhaps',
      LEASEHOLD_LEASE: 'none',
      LEASEHOLD_IAM: 'yes',
      LEASEHOLD_HOOKS: 'hooks.cjs',
      LEASEHOLD_DROP_AFTER: '1',
    }
    const message = problemsOf(wrong)
    expect(message.split('\n - ')).toHaveLength(7)
    expect(message).toContain(
      '`LEASEHOLD_MAX_LEASE_MS` must be a whole number of milliseconds from 1000 to 900000',
    )
    expect(message).toContain('`LEASEHOLD_REAP` must be true or false')
    expect(message).toContain("`LEASEHOLD_LEASE` must be 'server', 'client', 'off'")
    expect(message).toContain("`LEASEHOLD_IAM` must be 'off', 'rds' or 'true', or 'dsql'")
    expect(message).toContain('`LEASEHOLD_HOOKS` must be the absolute path of a CommonJS module')
    expect(message).toContain(
      'unknown variable `LEASEHOLD_DROP_AFTER` (did you mean `LEASEHOLD_DROP_AFTER_MS`?)',
    )
    expect(readSettings(wrong)).toMatchObject({ level: 'sockets' })
  })

  it('say of two that do not go together which variables they are', () => {
    expect(problemsOf({ LEASEHOLD_MIN_LEASE_MS: '5000', LEASEHOLD_MAX_LEASE_MS: '2000' })).toContain(
      '`LEASEHOLD_MIN_LEASE_MS` (5000) must not exceed `LEASEHOLD_MAX_LEASE_MS` (2000)',
    )
    expect(problemsOf({ LEASEHOLD_IAM: 'rds', LEASEHOLD_SECRET_ARN: 'shop' })).toContain('leave one out')
  })

  it('repeat no secret that got into the wrong place', () => {
    expect(problemsOf({ LEASEHOLD_FLEET: 'hunter2 hunter2 hunter2' })).not.toContain('hunter2')
  })

  it('leave variables of others alone', () => {
    expect(
      readSettings({ LEASEHOLD_URL: 'postgres://app@db/shop', LEASEHOLD_PASSWORD: 'x' }).problem,
    ).toBeUndefined()
  })
})
