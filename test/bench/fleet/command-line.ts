// The command line: `bench:fleet [scenario…] [--engine e,f] [--subject s,t] [--pairs n] [--seconds s] …`.
import { parseArgs } from 'node:util'

import { MEASURED } from './measured.ts'
import type { EngineName } from './result.ts'
import { lengthMsOf, type Scenario, SCENARIOS, stretched } from './scenarios.ts'

const ENGINES = ['postgresql', 'mariadb', 'mysql'] as const

export interface Wanted {
  readonly scenarios: readonly Scenario[]
  readonly engines: readonly EngineName[]
  /** By name; undefined: each scenario's own choice. */
  readonly subjects: readonly string[] | undefined
  /** Undefined: each scenario's own. */
  readonly pairs: number | undefined
  readonly jsonPath: string | undefined
  /** Adds to what the file has. */
  readonly isAppended: boolean
  /** Exit code 1 where a target is not met. */
  readonly isStrict: boolean
  /** Runs on the sources instead of the built packages. */
  readonly isOnSources: boolean
}

const OPTIONS = {
  engine: { type: 'string', default: 'postgresql,mariadb' },
  subject: { type: 'string' },
  pairs: { type: 'string' },
  seconds: { type: 'string' },
  json: { type: 'string' },
  append: { type: 'boolean', default: false },
  strict: { type: 'boolean', default: false },
  source: { type: 'boolean', default: false },
} as const

/** Throws a TypeError that says what would make sense. */
export function wantedOf(args: readonly string[]): Wanted {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  const seconds = whole('seconds', values.seconds)
  const names = SCENARIOS.map(({ name }) => name)
  const chosen = positionals.length === 0 ? names : list('a scenario', positionals, names)
  return {
    scenarios: SCENARIOS.filter(({ name }) => chosen.includes(name)).map((scenario) =>
      seconds === undefined ? scenario : stretched(scenario, (1_000 * seconds) / lengthMsOf(scenario)),
    ),
    engines: list('--engine', values.engine.split(','), ENGINES),
    subjects:
      values.subject === undefined
        ? undefined
        : list(
            '--subject',
            values.subject.split(','),
            MEASURED.map(({ name }) => name),
          ),
    pairs: whole('pairs', values.pairs),
    jsonPath: values.json,
    isAppended: values.append,
    isStrict: values.strict,
    isOnSources: values.source,
  }
}

function list<T extends string>(what: string, given: readonly string[], known: readonly T[]): readonly T[] {
  return given.map((name) => {
    const found = known.find((each) => each === name)
    if (found === undefined) throw new TypeError(`${what} is one of ${known.join(', ')}; got ${name}`)
    return found
  })
}

function whole(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new TypeError(`--${name} is a whole number from 1, got ${text}`)
  return value
}
