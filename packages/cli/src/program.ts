/** The program `leasehold`: its commands, and how what goes wrong is told. */

import tab from '@bomb.sh/tab/commander'
import { LeaseholdError } from '@leasehold/core'
import { Command, CommanderError } from 'commander'

import { doctorCommand } from './doctor/command.ts'
import type { Io } from './io.ts'
import { planCommand } from './plan/command.ts'
import { UsageError } from './target/usage.ts'
import { topCommand } from './top/command.ts'
import { version } from './version.ts'

/** Exit codes. Commands may set others: `io.exitCode`. */
const FAILED = 1
const USAGE = 2

const EXAMPLES = `
Examples:
  $ leasehold plan --instance-class db.r6g.large --engine postgresql --rate 800 --work-ms 40
  $ leasehold doctor postgres://app@db.example/shop
  $ leasehold top mysql://app@db.example/shop
  $ leasehold plan --help
  $ source <(leasehold completion bash)

Exit codes: 0 all is well, 1 it is not, 2 the command line cannot be right.
`

function program(io: Io): Command {
  const root = new Command('leasehold')
    .description('Plans, watches and mends the connections of AWS Lambda functions to PostgreSQL and MySQL.')
    .version(version(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(--help says more)')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
    })
    .exitOverride()
  for (const command of [doctorCommand(io), planCommand(io), topCommand(io)])
    root.addCommand(command.copyInheritedSettings(root))
  tab(root, { completionCommandName: 'completion' })
  return root
}

/** @returns the exit code; never rejects */
export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    await program(io).parseAsync([...args], { from: 'user' })
    return io.exitCode
  } catch (error) {
    return told(error, io)
  }
}

function told(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE
  const isUsage =
    error instanceof UsageError || (LeaseholdError.is(error) && error.code === 'INVALID_OPTIONS')
  const message = error instanceof Error ? error.message : String(error)
  io.stderr.write(`leasehold: ${message}\n`)
  return isUsage ? USAGE : FAILED
}
