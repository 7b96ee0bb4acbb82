/** The one list of events: every change of state, its channel, its hook, and what it tells. */

import type { FleetView, LimitOf } from './census.ts'
import type { ErrorKind } from './errors.ts'

export interface EventField {
  /** The name in `node:diagnostics_channel`. */
  readonly channel: string
  /** The member of the option `hooks`, where there is one: not for what happens at every request. */
  readonly hook?: `on${string}`
  readonly meaning: string
}

/** In the order of a connection's life. */
export const EVENTS = {
  open: {
    channel: 'leasehold:connection:open',
    hook: 'onConnect',
    meaning: 'A connection was opened and is about to be handed out.',
  },
  checkout: {
    channel: 'leasehold:connection:checkout',
    meaning: 'The application was handed a connection that was open already.',
  },
  checkin: { channel: 'leasehold:connection:checkin', meaning: 'The application gave a connection back.' },
  lease: {
    channel: 'leasehold:connection:lease',
    hook: 'onLease',
    meaning: 'A connection has another lease, or only this side holds it from now on.',
  },
  lapse: {
    channel: 'leasehold:connection:lapse',
    hook: 'onLapse',
    meaning: 'A lease ran out: the connection was dropped.',
  },
  lost: {
    channel: 'leasehold:connection:lost',
    hook: 'onLost',
    meaning: 'An idle connection was found dead for another reason: cut, recalled, ended by the server.',
  },
  evict: {
    channel: 'leasehold:connection:evict',
    hook: 'onEvict',
    meaning: 'The server turned read-only: the connection is dropped at checkin.',
  },
  yield: {
    channel: 'leasehold:connection:yield',
    hook: 'onYield',
    meaning: 'A connection was closed after a response, so that another environment can have its slot.',
  },
  reclaim: {
    channel: 'leasehold:connection:reclaim',
    hook: 'onReclaim',
    meaning: 'A connection or transaction left over from an earlier invocation was ended.',
  },
  close: {
    channel: 'leasehold:connection:close',
    hook: 'onClose',
    meaning: 'A connection left the pool, for whatever reason.',
  },
  retry: {
    channel: 'leasehold:connect:retry',
    hook: 'onRetry',
    meaning: 'An attempt to connect failed; another one follows.',
  },
  giveUp: {
    channel: 'leasehold:connect:give-up',
    hook: 'onGiveUp',
    meaning: 'A request gets no connection: attempts were given up, or the pool stayed busy.',
  },
  census: { channel: 'leasehold:census', hook: 'onCensus', meaning: 'The slots were counted.' },
  reap: {
    channel: 'leasehold:sessions:reap',
    hook: 'onReap',
    meaning: "Idle sessions of the fleet's were recalled by this environment.",
  },
  replay: {
    channel: 'leasehold:statement:replay',
    hook: 'onReplay',
    meaning: 'A statement is sent again.',
  },
  cancel: {
    channel: 'leasehold:statement:cancel',
    hook: 'onCancel',
    meaning: 'A statement is cancelled, at its limit or because its signal aborted.',
  },
  loss: {
    channel: 'leasehold:statement:loss',
    hook: 'onAmbiguousLoss',
    meaning: 'A statement or commit was cut off, and nobody knows whether it took effect.',
  },
  rerun: {
    channel: 'leasehold:transaction:rerun',
    hook: 'onRerun',
    meaning: 'A transaction lost a race and is run again.',
  },
} as const

export type EventName = keyof typeof EVENTS

/** Which connection: numbered from 1 in each pool. */
interface OfConnection {
  readonly connection: number
}

/** What each event tells besides where it happened. No statement, no credential, no driver's object. */
export interface EventDetails {
  readonly open: OfConnection & {
    readonly durationMs: number
    readonly leaseMs: number
    readonly keeper: 'server' | 'client'
  }
  readonly checkout: OfConnection
  readonly checkin: OfConnection
  readonly lease: OfConnection & { readonly leaseMs: number; readonly keeper: 'server' | 'client' }
  readonly lapse: OfConnection
  readonly lost: OfConnection
  readonly evict: OfConnection
  readonly yield: OfConnection & { readonly pressure: number | undefined }
  readonly reclaim: OfConnection
  readonly close: OfConnection & { readonly ageMs: number }
  readonly retry: {
    readonly kind: ErrorKind
    /** The driver's own code. */
    readonly code: string
    readonly attempts: number
    readonly delayMs: number
  }
  readonly giveUp: {
    /** `busy`: every connection of the pool was in use. */
    readonly kind: ErrorKind | 'busy'
    readonly code: string
    readonly attempts: number
    readonly waitedMs: number
    readonly pressure: number | undefined
  }
  readonly census: FleetView & { readonly pressure: number; readonly limit?: LimitOf }
  readonly reap: { readonly endedCount: number }
  readonly replay: { readonly code: string; readonly sentCount: number }
  readonly cancel: { readonly timeoutMs: number | undefined }
  readonly loss: { readonly code: string }
  readonly rerun: { readonly code: string; readonly runs: number }
}

/** Where it happened: the dimensions of the metrics, in lower case. */
export interface EventPlace {
  readonly fleet: string
  readonly engine: string
  readonly target: string
}

export type LeaseholdEvent<E extends EventName = EventName> = EventPlace & EventDetails[E]

type HookOf = {
  [E in EventName as (typeof EVENTS)[E] extends { hook: infer H extends string } ? H : never]: E
}

/** Functions that hear of an event. What they throw is logged and goes no further; they are not awaited. */
export type Hooks = {
  readonly [H in keyof HookOf]?: ((event: LeaseholdEvent<HookOf[H]>) => unknown) | undefined
}

export const HOOK_NAMES: readonly string[] = Object.values<EventField>(EVENTS).flatMap(
  ({ hook }) => hook ?? [],
)

/** A Markdown table of all events, for the docs. */
export function eventsTable(): string {
  const rows = Object.values<EventField>(EVENTS).map(
    ({ channel, hook, meaning }) =>
      `| \`${channel}\` | ${hook === undefined ? '' : `\`${hook}\``} | ${meaning} |`,
  )
  return ['| channel | hook | what happened |', '|---|---|---|', ...rows].join('\n')
}
