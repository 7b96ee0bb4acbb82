/** Tells of every change of state, to whoever listens: a diagnostics channel, or a hook of the pool's. */

import { type Channel, channel } from 'node:diagnostics_channel'

import {
  type EventDetails,
  type EventField,
  type EventName,
  type EventPlace,
  EVENTS,
  type Hooks,
} from './events.ts'
import type { LimitedLog } from './log.ts'
import { unawaited } from './unawaited.ts'

type Hook = (event: object) => unknown

const CHANNELS = Object.fromEntries(
  Object.entries<EventField>(EVENTS).map(([name, field]) => [name, channel(field.channel)]),
) as Readonly<Record<EventName, Channel>>

export class Diagnostics {
  /** For the hot path, which asks before it calls. */
  readonly checkout: Channel = CHANNELS.checkout
  readonly checkin: Channel = CHANNELS.checkin
  readonly #hooks: Readonly<Partial<Record<string, Hook>>>
  readonly #place: () => EventPlace
  readonly #log: LimitedLog

  constructor(hooks: Hooks, place: () => EventPlace, log: LimitedLog) {
    this.#hooks = hooks as Partial<Record<string, Hook>>
    this.#place = place
    this.#log = log
  }

  /** @param details called only where somebody listens */
  tell<E extends EventName>(name: E, details: () => EventDetails[E]): void {
    const to = CHANNELS[name]
    const { hook: hookName }: EventField = EVENTS[name]
    const hook = hookName === undefined ? undefined : this.#hooks[hookName]
    if (!to.hasSubscribers && hook === undefined) return
    const event = Object.freeze({ ...this.#place(), ...details() })
    if (to.hasSubscribers) to.publish(event)
    if (hook !== undefined) this.#call(hookName ?? '', hook, event)
  }

  #call(name: string, hook: Hook, event: object): void {
    unawaited(
      () => hook(event),
      () => this.#log.warn('hook', `the hook \`${name}\` failed; what it threw is dropped`),
    )
  }
}
