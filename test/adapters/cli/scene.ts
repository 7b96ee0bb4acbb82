// What every examination of a test goes through: the program itself is run, and no secret may be in what it prints.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { type Clock, type Env, systemClock } from '@leasehold/core'
import {
  availability,
  type DatabaseServer,
  type ServerOptions,
  startMariadb,
  startPostgres,
} from '@leasehold/test-databases'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'

import { run } from '../../../packages/cli/src/program.ts'
import { Collector } from '../secrecy/collector.ts'

export interface Finding {
  readonly status: 'fine' | 'warning' | 'wrong' | 'skipped'
  readonly fault?: string
  readonly summary: string
  readonly meaning?: string
  readonly remedy?: string
  readonly facts?: Readonly<Record<string, unknown>>
}

export interface Step {
  readonly step: string
  readonly status: Finding['status'] | 'not run'
  readonly findings: readonly Finding[]
}

export interface Examined {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** `step: status` and the faults of each. */
  readonly steps: readonly Step[]
  /** Codes of what is wrong or doubtful. */
  readonly faults: readonly string[]
  step(name: string): Step
}

export interface DoctorScene {
  readonly collector: Collector
  /** Runs `leasehold doctor --json` with `args`. */
  doctor(args: readonly string[], env?: Env, clock?: Clock): Promise<Examined>
  /** Runs the program with `args`, as they are. */
  leasehold(
    args: readonly string[],
    env?: Env,
    clock?: Clock,
  ): Promise<Pick<Examined, 'exitCode' | 'stdout' | 'stderr'>>
  /** A file with `text` that is gone after the tests. */
  file(name: string, text: string): Promise<string>
}

/** To be called where the tests of a file are described. */
export function doctorScene(): DoctorScene {
  let collector = new Collector()
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leasehold-doctor-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  beforeEach(() => {
    collector = new Collector()
    collector.knows('what begins the signature of a token', 'X-Amz-Signature')
    collector.start()
  })
  afterEach(() => {
    collector.stop()
    expect(collector.leaks()).toEqual([])
  })

  const leasehold: DoctorScene['leasehold'] = async (args, env = {}, clock = systemClock) => {
    let stdout = ''
    let stderr = ''
    const exitCode = await run(args, {
      stdin: process.stdin,
      stdout: { write: (text) => (stdout += text), columns: 120 },
      stderr: { write: (text) => (stderr += text), columns: 120 },
      env,
      clock,
      exitCode: 0,
    })
    collector.print('the output', stdout)
    collector.print('the errors', stderr)
    return { exitCode, stdout, stderr }
  }
  return {
    get collector() {
      return collector
    },
    leasehold,
    doctor: async (args, env, clock) => {
      const printed = await leasehold(['doctor', '--json', ...args], env, clock)
      if (printed.stdout === '') throw new Error(`it printed nothing but ${printed.stderr}`)
      const { steps } = JSON.parse(printed.stdout) as { steps: readonly Step[] }
      const faults = steps.flatMap(({ findings }) => findings.flatMap(({ fault }) => fault ?? []))
      const step = (name: string): Step => {
        const found = steps.find((one) => one.step === name)
        if (found === undefined) throw new Error(`no step is called ${name}`)
        return found
      }
      return { ...printed, steps, faults, step }
    },
    file: async (name, text) => {
      const path = join(folder, name)
      await writeFile(path, text)
      return path
    },
  }
}

/** The names of the steps that were not run. */
export function notRun({ steps }: Examined): readonly string[] {
  return steps.filter(({ status }) => status === 'not run').map(({ step }) => step)
}

const mysql = (await availability()).find(({ available, engine }) => engine === 'mysql' && available)

export interface EngineUnderTest {
  readonly name: string
  readonly scheme: string
  readonly start: (options?: ServerOptions) => Promise<DatabaseServer>
}

export const ENGINES: readonly EngineUnderTest[] = [
  { name: 'PostgreSQL', scheme: 'postgres', start: startPostgres },
  { name: 'MariaDB', scheme: 'mysql', start: startMariadb },
  ...(mysql === undefined ? [] : [{ name: 'MySQL', scheme: 'mysql', start: mysql.start }]),
]

type Place = Pick<DatabaseServer, 'host' | 'port' | 'database' | 'login'>

/** A URL of `server`, with parts of it replaced. */
export function urlOf(scheme: string, server: Place, parts: Partial<Place> = {}): string {
  const { host, port, database, login } = { ...pick(server), ...parts }
  return `${scheme}://${login.user}:${encodeURIComponent(login.password)}@${host}:${port}/${database}`
}

/** A server's members may be getters. */
function pick({ host, port, database, login }: Place): Place {
  return { host, port, database, login }
}
