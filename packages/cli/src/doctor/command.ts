/** `leasehold doctor`: why a function can't connect, step by step, and how to mend it. */

import { Command, InvalidArgumentError, Option } from 'commander'

import type { Io } from '../io.ts'
import { addTargetArguments, targetArguments } from '../target/arguments.ts'
import { placeOf } from '../target/place.ts'
import { readTarget } from '../target/read-target.ts'
import { protocolName } from '../target/target.ts'
import { examine } from './examine.ts'
import { Redactor } from './redactor.ts'
import { coloured, plain, stepLines, toJson, verdict } from './report.ts'

const DEFAULT_LIMIT_MS = 5_000

const EXAMPLES = `
Examples:
  $ leasehold doctor postgres://app@db.abc123.eu-west-1.rds.amazonaws.com/shop --iam
  $ leasehold doctor --secret arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop --engine mysql
  $ leasehold doctor --options ./options.mjs --json

Exit codes: 0 nothing is wrong, 1 something is, 2 the command line cannot be right.
It opens two sessions at most, for seconds, and changes nothing.
`

interface DoctorOptions {
  readonly json?: boolean
  readonly timeoutMs: number
}

export function doctorCommand(io: Io): Command {
  const command = new Command('doctor').description(
    "find out why a function can't connect, and how to mend it",
  )
  return addTargetArguments(command)
    .option('--json', 'print JSON')
    .addOption(
      new Option('--timeout-ms <ms>', 'the longest that any single wait may take')
        .default(DEFAULT_LIMIT_MS)
        .argParser(wholeMs),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: DoctorOptions) => {
      await runDoctor(command, url, options, io)
    })
}

async function runDoctor(
  command: Command,
  url: string | undefined,
  options: DoctorOptions,
  io: Io,
): Promise<void> {
  const { clock, env, stdout } = io
  const target = await readTarget(targetArguments(command, url, env), io)
  const redactor = new Redactor()
  const isText = options.json !== true
  const paint = stdout.isTTY === true && env['NO_COLOR'] === undefined ? coloured : plain
  const print = (text: string): void => void stdout.write(`${redactor.clean(text)}\n`)
  if (isText) {
    const { database, host, port, user } = placeOf(target.protocol, target.options, env)
    redactor.knows(placeOf(target.protocol, target.options, env).password)
    const as = user === undefined ? '' : ` as ${user}`
    print(
      `${protocolName(target.protocol)} at ${host}:${port}${database === undefined ? '' : `/${database}`}${as}\n`,
    )
  }
  const report = await examine(target, {
    clock,
    env,
    limitMs: options.timeoutMs,
    redactor,
    onStep: (step) => isText && print(stepLines(step, paint).join('\n')),
  })
  print(isText ? `\n${verdict(report, paint)}` : toJson(report))
  io.exitCode = report.isFine ? 0 : 1
}

/** @throws InvalidArgumentError */
function wholeMs(text: string): number {
  const ms = Number(text)
  if (Number.isInteger(ms) && ms >= 100 && ms <= 60_000) return ms
  throw new InvalidArgumentError('It must be a whole number of milliseconds from 100 to 60000.')
}
