/** The one field table: defaults, bounds and the README's options table all come from here. */

export interface NumberField {
  readonly kind: 'wholeMs' | 'share'
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

export type Field = NumberField | ChoiceField | NameField | LoggerField | SourceField

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
    1_000,
    900_000,
    2_000,
    'The lease when the server is nearly full, and of every new session.',
  ),
  targetPressure: {
    kind: 'share',
    min: 0.1,
    max: 1,
    default: 0.8,
    summary: 'Used slots / slots above which the fleet starts to give slots back.',
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
    'While slots are plenty, an environment in use counts them this often (jittered), after a response.',
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
  resumeBudgetMs: ms(
    0,
    900_000,
    30_000,
    'How long to keep trying while the server is starting, resuming or unreachable. 0 gives up at once.',
  ),
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
  logger: {
    kind: 'logger',
    default: 'console',
    summary: "Where the few lines worth a person's time go: an object with `warn` and `error`.",
  },
}
