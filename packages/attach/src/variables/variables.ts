/** Every variable: one for each option, made from the options' field table, and those that attachment alone has. */

import { type ChoiceField, type Field, FIELDS, METRICS } from '@leasehold/core'

import { ofField, ofText, type Variable } from './variable.ts'

export const PREFIX = 'LEASEHOLD_'

const choice = (choices: readonly [string, ...string[]], summary: string): ChoiceField => ({
  kind: 'choice',
  choices,
  default: choices[0],
  summary,
})

/** By the name under which its value is read. */
type Variables = Readonly<Record<string, Variable>>

/** What stands in the environment for an option that is an object or a function. */
const FOR_CODE: Readonly<Record<string, Variables>> = {
  credentials: {
    secretArn: ofText(
      {
        name: 'LEASEHOLD_SECRET_ARN',
        unset: 'none',
        values: 'ARN or name',
        summary: 'User and password of every pool come from this secret of AWS Secrets Manager.',
      },
      (text) => (/^[\w/+=.@:!-]{1,2048}$/.test(text) ? text : undefined),
      'the ARN or the name of a secret',
    ),
    secretFrom: ofField(
      'LEASEHOLD_SECRET_SOURCE',
      choice(
        ['secrets-manager', 'extension', 'sidecar'],
        "Reads the secret from Secrets Manager, from the Parameters and Secrets extension, or from the layer's sidecar.",
      ),
    ),
    iam: ofText(
      {
        name: 'LEASEHOLD_IAM',
        unset: '`off`',
        values: '`off`, `rds`, `dsql`, `true`',
        summary:
          'Every pool logs in by a token of IAM, and by TLS: `rds`, or `true`, of RDS, Aurora and RDS Proxy, `dsql` of Aurora DSQL.',
      },
      (text) => ({ false: 'off', off: 'off', true: 'rds', rds: 'rds', dsql: 'dsql' })[text.toLowerCase()],
      "'off', 'rds' or 'true', or 'dsql'",
    ),
    iamFrom: ofField(
      'LEASEHOLD_IAM_SOURCE',
      choice(['signer', 'sidecar'], "Signs tokens in the function, or asks the layer's sidecar for them."),
    ),
  },
  metrics: {
    metrics: ofField(
      'LEASEHOLD_METRICS',
      choice(['off', 'emf', 'cloudwatch', 'sidecar'], FIELDS['metrics']?.summary ?? ''),
    ),
    metricsNamespace: ofText(
      {
        name: 'LEASEHOLD_METRICS_NAMESPACE',
        unset: '`Leasehold`',
        values: '1 to 255 characters',
        summary: "CloudWatch's namespace.",
      },
      (text) => (/^(?!AWS\/|:)[\w.\-/#: ]{1,255}$/.test(text) ? text : undefined),
      '1 to 255 letters, digits or any of "_.-/#: ", and not begin with "AWS/" or ":"',
    ),
    metricsEveryMs: {
      ...ofField('LEASEHOLD_METRICS_EVERY_MS', {
        kind: 'wholeMs',
        min: 1_000,
        max: 900_000,
        default: 0,
        summary: 'How often metrics are sent, after a response.',
      }),
      unset: "the sink's",
    },
    metricsOnly: ofText(
      {
        name: 'LEASEHOLD_METRICS_ONLY',
        unset: 'all',
        values: 'names, by commas',
        summary: 'Send these metrics alone.',
      },
      (text) => {
        const names = text.split(/\s*,\s*/)
        return names.every((name) => Object.hasOwn(METRICS, name)) ? names : undefined
      },
      'names of metrics, by commas',
    ),
  },
  meter: {
    meter: ofField('LEASEHOLD_METER', choice(['off', 'global'], FIELDS['meter']?.summary ?? '')),
  },
  hooks: {
    hooks: ofText(
      {
        name: 'LEASEHOLD_HOOKS',
        unset: 'none',
        values: 'absolute path',
        summary:
          'A CommonJS module whose exports are the functions that hear of what happens: `onConnect` and more.',
      },
      (text) => (text.startsWith('/') ? text : undefined),
      'the absolute path of a CommonJS module',
    ),
  },
  onSession: {
    onSession: ofText(
      {
        name: 'LEASEHOLD_ON_SESSION',
        unset: 'none',
        values: 'SQL',
        summary:
          'One statement that runs on every new session of a pool before its first use: `SET`, `USE`, search path.',
      },
      (text) => (text === '' ? undefined : text),
      'one SQL statement',
    ),
  },
  logger: {
    logger: ofField('LEASEHOLD_LOGGER', choice(['console', 'off'], FIELDS['logger']?.summary ?? '')),
  },
}

/** What attachment has besides the options of pools. */
const OWN: Variables = {
  level: ofField(
    'LEASEHOLD_ATTACH',
    choice(
      ['drivers', 'sockets', 'off'],
      '`drivers`: pools and connections are governed. `sockets`: only dead sockets are dropped, and sessions closed at the end. `off`: nothing.',
    ),
  ),
  dropAfterMs: {
    ...ofField('LEASEHOLD_DROP_AFTER_MS', {
      kind: 'wholeMs',
      min: 0,
      max: 900_000,
      default: 60_000,
      summary:
        'A database socket that nothing governs, silent for this long when an invocation begins, is dropped before the handler runs. 0 drops each one every time. For pools: a connection outside a pool is lost with it.',
    }),
    unset: 'never; with `LEASEHOLD_ATTACH=sockets` 60 000',
  },
  databasePorts: ofText(
    {
      name: 'LEASEHOLD_DATABASE_PORTS',
      unset: '`5432,5433,6432,3306`',
      values: 'ports, by commas',
      summary: 'Sockets to these ports, and to hosts of RDS, are taken for database sockets.',
    },
    (text) => {
      const ports = text.split(/\s*,\s*/).map(Number)
      return ports.every((port) => Number.isInteger(port) && port >= 1 && port <= 65_535) ? ports : undefined
    },
    'ports from 1 to 65535, by commas',
  ),
  maxConnections: ofText(
    {
      name: 'LEASEHOLD_MAX_CONNECTIONS',
      unset: "the application's",
      values: '1 to 1 000',
      summary: 'No pool grows beyond this, whatever the application asked for. Never raises a limit.',
    },
    (text) => (/^[1-9]\d{0,2}$|^1000$/.test(text) ? Number(text) : undefined),
    'a whole number of connections from 1 to 1000',
  ),
  afterResponse: ofField('LEASEHOLD_AFTER_RESPONSE', {
    kind: 'switch',
    default: false,
    summary: 'Housekeeping runs after the response, and the freeze waits for it.',
  }),
  afterResponseMs: ofField('LEASEHOLD_AFTER_RESPONSE_MS', {
    kind: 'wholeMs',
    min: 0,
    max: 1_000,
    default: 20,
    summary: 'How long it may hold the freeze off.',
  }),
}

/** `maxLeaseMs` is `LEASEHOLD_MAX_LEASE_MS`, `backoff.baseMs` is `LEASEHOLD_BACKOFF_BASE_MS`. */
export function variableOf(option: string): string {
  const words = option.replaceAll('.', '_').replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`)
  return PREFIX + words.toUpperCase()
}

function optionVariables(): Variables {
  const all: Record<string, Variable> = {}
  for (const [option, field] of Object.entries(FIELDS)) {
    const inPlace = FOR_CODE[option]
    if (inPlace !== undefined) Object.assign(all, inPlace)
    else if (!isCode(field)) all[option] = ofField(variableOf(option), field)
    else throw new Error(`nothing in the environment stands for \`${option}\``)
  }
  return all
}

function isCode({ kind }: Field): boolean {
  return !['wholeMs', 'share', 'count', 'choice', 'name', 'switch'].includes(kind)
}

/** By the name under which its value is read: an option's own, where one variable stands for one option. */
export const VARIABLES: Variables = { ...OWN, ...optionVariables() }

/** A Markdown table: variable, default, values, meaning. */
export function variablesTable(): string {
  const rows = Object.values(VARIABLES).map(
    ({ name, unset, values, summary }) => `| \`${name}\` | ${unset} | ${values} | ${summary} |`,
  )
  return ['| variable | default | values | meaning |', '|---|---|---|---|', ...rows].join('\n')
}
