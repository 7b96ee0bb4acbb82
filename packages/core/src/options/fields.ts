/** The one field table: defaults, bounds and the README's options table all come from here. */

export interface NumberField {
  readonly kind: 'wholeMs' | 'share' | 'count'
  readonly min: number
  readonly max: number
  readonly default: number
  readonly summary: string
}

export interface ChoiceField {
  readonly kind: 'choice'
  readonly choices: readonly string[]
  readonly default: string
  readonly summary: string
}

export interface NameField {
  readonly kind: 'name'
  readonly maxLength: number
  readonly default: string
  readonly summary: string
}

export interface LoggerField {
  readonly kind: 'logger'
  readonly default: 'console'
  readonly summary: string
}

export interface SourceField {
  readonly kind: 'source'
  readonly default: undefined
  readonly summary: string
}

export interface SinkField {
  readonly kind: 'sink'
  readonly default: 'off'
  readonly summary: string
}

export interface ObjectField {
  readonly kind: 'hooks' | 'meter'
  readonly default: undefined
  readonly summary: string
}

export interface HookField {
  readonly kind: 'hook'
  readonly default: undefined
  readonly summary: string
}

export interface SwitchField {
  readonly kind: 'switch'
  readonly default: boolean
  readonly summary: string
}

export type Field =
  | NumberField
  | ChoiceField
  | NameField
  | LoggerField
  | SourceField
  | SinkField
  | ObjectField
  | HookField
  | SwitchField

const ms = (min: number, max: number, defaultMs: number, summary: string): NumberField => ({
  kind: 'wholeMs',
  min,
  max,
  default: defaultMs,
  summary,
})

/** Dotted names are members of an object option: `backoff: { baseMs, capMs }`. */
export const FIELDS: Readonly<Record<string, Field>> = {
  fleet: {
    kind: 'name',
    maxLength: 20,
    default: 'leasehold',
    summary: 'Sessions with the same fleet, login and server are governed together, whatever the function.',
  },
  maxLeaseMs: ms(
    1_000,
    900_000,
    300_000,
    'The lease while slots are plenty: how long the server lets a session sit idle before it ends it.',
  ),
  minLeaseMs: ms(
    250,
    900_000,
    500,
    'The lease when the server is nearly full, or somebody waits. Whole seconds on MySQL and MariaDB, rounded up.',
  ),
  targetPressure: {
    kind: 'share',
    min: 0.1,
    max: 1,
    default: 0.8,
    summary: 'Used slots / slots above which the fleet starts to give slots back.',
  },
  reap: {
    kind: 'switch',
    default: true,
    summary:
      "Under pressure, ends the fleet's longest-idle sessions before their leases run out, at most 8 at a time. `false`: this pool ends none.",
  },
  pingAfterIdleMs: ms(
    0,
    900_000,
    1_000,
    'A connection idle for longer is pinged before it is handed out. 0 pings at every checkout.',
  ),
  censusEveryMs: ms(
    100,
    600_000,
    2_000,
    'While slots are plenty, an environment in use counts them this often (jittered), after a response; sooner when it has just started, or somebody had to wait lately.',
  ),
  connectTimeoutMs: ms(
    1,
    300_000,
    5_000,
    'The limit of one attempt to connect, and of one ping (at most 1 000).',
  ),
  acquireTimeoutMs: ms(
    1,
    900_000,
    10_000,
    'How long a request may wait for a connection, refused attempts and the wait for a busy pool included.',
  ),
  environmentConnections: {
    kind: 'count',
    min: 0,
    max: 10_000,
    default: 0,
    summary:
      'On Managed Instances: how many connections one environment may have, over all of its worker threads, in a pool of this kind that is given no size. 0 is a quarter of its concurrency, and one a thread at least.',
  },
  resumeBudgetMs: ms(
    0,
    900_000,
    30_000,
    'How long to keep trying while the server is starting, resuming or unreachable. 0 gives up at once.',
  ),
  queryTimeoutMs: ms(
    0,
    900_000,
    0,
    'A statement that takes longer is cancelled on the server. 0 is no limit but the end of the invocation, where that is known.',
  ),
  transactionIdleMs: ms(
    0,
    900_000,
    60_000,
    'How long the server lets an open transaction sit idle before it ends the session (PostgreSQL, MariaDB). 0 leaves it to the server.',
  ),
  heldAcrossInvocations: {
    kind: 'choice',
    choices: ['reclaim', 'keep'],
    default: 'reclaim',
    summary:
      'A connection still checked out when the next invocation begins is closed and reported, or kept. One that was taken while modules loaded is kept.',
  },
  onSession: {
    kind: 'hook',
    default: undefined,
    summary:
      'Awaited on every new session before its first use: the place for `SET`, time zone, search path.',
  },
  traceCheckouts: {
    kind: 'switch',
    default: false,
    summary:
      'Keeps the stack of every checkout, so that a report of one left over says where it was taken. For debugging: it costs microseconds.',
  },
  'backoff.baseMs': ms(1, 60_000, 50, 'The first wait after a refused connect, before jitter.'),
  'backoff.capMs': ms(1, 60_000, 300, 'The longest wait between two attempts, before jitter.'),
  lease: {
    kind: 'choice',
    choices: ['server', 'client', 'off'],
    default: 'server',
    summary:
      '`server`: the server ends idle sessions. `client`: only this side drops them (and pings). `off`: no lease, no census, no hand-over.',
  },
  credentials: {
    kind: 'source',
    default: undefined,
    summary: 'Where the credential of every new connection comes from, in place of a `password`.',
  },
  metrics: {
    kind: 'sink',
    default: 'off',
    summary:
      'Where measurements go: `cloudWatch(…)` or `emf(…)` of `@leasehold/core/aws`, or a sink of your own.',
  },
  meter: {
    kind: 'meter',
    default: undefined,
    summary:
      "An OpenTelemetry meter: the pool's own metrics by the semantic conventions (`db.client.connection.*`).",
  },
  hooks: {
    kind: 'hooks',
    default: undefined,
    summary: 'Functions that hear of what happens: `onConnect`, `onRetry`, `onLapse` and more. Not awaited.',
  },
  logger: {
    kind: 'logger',
    default: 'console',
    summary: "Where the few lines worth a person's time go: an object with `warn` and `error`.",
  },
}
