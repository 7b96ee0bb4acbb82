/** What a command line or an environment may say of a target; one table for both, and for the docs. */

import type { Env } from '@leasehold/core'
import { type Command, Option } from 'commander'

/** As given by the command line, or by the environment. */
export interface Given {
  readonly engine?: string | undefined
  readonly host?: string | undefined
  readonly port?: string | undefined
  readonly user?: string | undefined
  readonly database?: string | undefined
  readonly ca?: string | undefined
  /** Undefined leaves it to host and options. */
  readonly tls?: boolean | undefined
  readonly iam?: boolean | undefined
  readonly tokenHost?: string | undefined
  readonly region?: string | undefined
  readonly secret?: string | undefined
  readonly secretEndpoint?: string | undefined
}

export interface TargetArguments {
  readonly url: string | undefined
  /** The file of `--options`. */
  readonly file: string | undefined
  readonly given: Given
  readonly fromEnv: Given
}

const OPTIONS: readonly (readonly [flags: string, meaning: string, variable?: string])[] = [
  [
    '--engine <name>',
    'postgresql, mysql or mariadb; by default as URL, file or port say',
    'LEASEHOLD_ENGINE',
  ],
  ['--host <name>', 'host name of the server', 'LEASEHOLD_HOST'],
  ['--port <number>', "port of the server; by default the engine's", 'LEASEHOLD_PORT'],
  ['--user <name>', 'database user', 'LEASEHOLD_USER'],
  ['--database <name>', 'database', 'LEASEHOLD_DATABASE'],
  ['--ca <file>', 'certificates to trust, in a file (PEM); turns TLS on', 'LEASEHOLD_CA'],
  ['--tls', 'with TLS, the server verified; towards RDS it is the default'],
  ['--no-tls', 'without TLS'],
  ['--iam', 'log in with a token of IAM', 'LEASEHOLD_IAM'],
  ['--token-host <name>', 'sign the token for this host: behind a CNAME or a tunnel', 'LEASEHOLD_TOKEN_HOST'],
  ['--region <name>', 'region of the token or the secret', 'LEASEHOLD_REGION'],
  ['--secret <arn>', 'log in with what a secret of Secrets Manager says', 'LEASEHOLD_SECRET'],
  [
    '--secret-endpoint <url>',
    "Secrets Manager's address, where it is not AWS's own",
    'LEASEHOLD_SECRET_ENDPOINT',
  ],
]

/** For a command that looks at a server. A password is never taken from the command line: others can read that. */
export function addTargetArguments(command: Command): Command {
  command.argument('[url]', 'postgres://user@host:port/database, or mysql://…')
  command.option(
    '--options <file>',
    "the application's own options: JSON, or a module that exports `options`",
  )
  for (const [flags, meaning, variable] of OPTIONS) {
    const read = variable === undefined ? '' : ` [${variable}]`
    command.addOption(new Option(flags, `${meaning}${read}`))
  }
  return command.addHelpText(
    'after',
    '\nIn brackets the variable that says the same. The password comes from LEASEHOLD_PASSWORD, PGPASSWORD or MYSQL_PWD, from the URL (LEASEHOLD_URL), or from the file.\n',
  )
}

/** What was given to a command that `addTargetArguments` was called on. */
export function targetArguments(command: Command, url: string | undefined, env: Env): TargetArguments {
  const { options, ...values } = command.opts<Given & { options?: string }>()
  const fromEnv: Record<string, unknown> = {}
  for (const [flags, , variable] of OPTIONS) {
    const value = variable === undefined ? undefined : env[variable]
    if (value === undefined || value === '') continue
    const isSwitch = !flags.includes('<')
    fromEnv[new Option(flags).attributeName()] = isSwitch ? !['0', 'false'].includes(value) : value
  }
  return { url, file: options, given: values, fromEnv }
}
