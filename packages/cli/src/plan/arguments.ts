/** What the command line of `plan` may say, and what it must not. */

import { type Command, InvalidArgumentError, Option } from 'commander'

import { addTargetArguments } from '../target/arguments.ts'
import { UsageError } from '../target/usage.ts'
import type { PlannedFunction } from './options.ts'

export interface PlanArguments {
  readonly maxConnections?: number
  readonly instanceClass?: string
  readonly acu?: string
  readonly aurora?: boolean
  readonly engine?: string
  readonly reserved?: number
  readonly others?: number
  readonly headroom?: number
  readonly rate?: number
  readonly workMs?: number
  readonly otherMs?: number
  readonly concurrency?: number
  readonly function?: readonly PlannedFunction[]
  readonly p99Ms?: number
  readonly cores?: number
  readonly seed?: number
  readonly svg?: string
  readonly json?: boolean
}

function numberFrom(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError('It must be a number, 0 or more.')
  }
  return value
}

function countFrom(text: string): number {
  const value = numberFrom(text)
  if (!Number.isInteger(value)) throw new InvalidArgumentError('It must be a whole number.')
  return value
}

type Read = (text: string) => number
type NumberOption = readonly [flags: string, meaning: string, read: Read]

const LIMIT: readonly NumberOption[] = [
  ['--max-connections <n>', "the server's limit, where you know it", countFrom],
]
const SLOTS: readonly NumberOption[] = [
  ['--reserved <n>', 'slots of the limit that the server keeps (default: as the engines come)', countFrom],
  ['--others <n>', "other applications' sessions (default: 0; of a server: those it has now)", countFrom],
  ['--headroom <n>', 'slots that stay free (default: a twentieth, from 3 to 20)', countFrom],
]
const LOAD: readonly NumberOption[] = [
  ['--rate <perSecond>', 'requests per second, at the busiest time', numberFrom],
  ['--work-ms <ms>', 'how long a request uses its session', numberFrom],
  ['--other-ms <ms>', 'the rest of an invocation, without the database (default: 0)', numberFrom],
  ['--concurrency <n>', 'reserved concurrency that is set already: will it do?', countFrom],
]
const LAST: readonly NumberOption[] = [
  ['--p99-ms <ms>', '99 of 100 requests are answered within (default: 1000 and the invocation)', numberFrom],
  ['--cores <n>', "the server's processors (default: by class, ACU or a guess)", countFrom],
  ['--seed <n>', 'of the simulation: the same one gives the same plan (default: 1)', countFrom],
]

export function addPlanArguments(command: Command): Command {
  const add = (options: readonly NumberOption[]): void => {
    for (const [flags, meaning, read] of options)
      command.addOption(new Option(flags, meaning).argParser(read))
  }
  command.optionsGroup('The limit, from one of these or from the server:')
  add(LIMIT)
  command
    .option('--instance-class <class>', 'its default by class, as db.r6g.large; with --engine: an estimate')
    .option('--acu <range>', 'its default by capacity of Aurora Serverless v2, as 0.5-16: an estimate')
    .option('--aurora', "Aurora's formula instead of RDS's")
  command.optionsGroup('What others have of it:')
  add(SLOTS)
  command.optionsGroup('The load:')
  add(LOAD)
  command.option(
    '--function <name:parts>',
    'one of several, as orders:rate=300,work=40,other=200,concurrency=50',
    addFunction,
  )
  command.optionsGroup('The answer:')
  add(LAST)
  command
    .option('--svg <file>', 'draw the simulated load into a file')
    .option('--json', 'print everything as JSON')
  command.optionsGroup('The server, to ask for its limit:')
  return addTargetArguments(command)
}

const PARTS = { rate: 'ratePerS', work: 'workMs', other: 'otherMs', concurrency: 'concurrency' } as const

function addFunction(text: string, before: readonly PlannedFunction[] = []): readonly PlannedFunction[] {
  const [, name = '', list = ''] = /^([^:,=]+):(.+)$/.exec(text) ?? []
  const given: Record<string, number> = {}
  for (const part of list.split(',')) {
    const [key = '', value = ''] = part.split('=')
    if (!Object.hasOwn(PARTS, key)) throw badFunction(text)
    given[PARTS[key as keyof typeof PARTS]] = numberFrom(value)
  }
  const { ratePerS, workMs, ...rest } = given
  if (name === '' || ratePerS === undefined || workMs === undefined) throw badFunction(text)
  return [...before, { name, ratePerS, workMs, ...rest }]
}

function badFunction(text: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `It must be a name and its parts, rate and work among them, like orders:rate=300,work=40: got \`${text}\`.`,
  )
}

/** The functions: one by itself, or a list. @throws UsageError */
export function functionsIn(given: PlanArguments): readonly PlannedFunction[] {
  const { rate, workMs, otherMs, concurrency, function: functions = [] } = given
  const isSingle = [rate, workMs, otherMs, concurrency].some((value) => value !== undefined)
  if (functions.length > 0) {
    if (isSingle)
      throw new UsageError('--rate, --work-ms, --other-ms and --concurrency are in --function: not both')
    return functions
  }
  if (rate === undefined || workMs === undefined) {
    const missing = [rate === undefined ? '--rate' : [], workMs === undefined ? '--work-ms' : []].flat()
    throw new UsageError(
      `${missing.join(' and ')} missing: how many requests per second come, and how long each uses its session (or --function for several)`,
    )
  }
  return [{ name: 'the function', ratePerS: rate, workMs, otherMs, concurrency }]
}
