// Collects whatever a program shows of itself, and finds the secrets in it.
import diagnostics from 'node:diagnostics_channel'
import { inspect } from 'node:util'

import type { CredentialRequest, CredentialSource, Logger } from '@leasehold/core'

import { formsOf } from './forms.ts'

/** Diagnostics channels of ours: none so far. A new one belongs here. */
const CHANNELS: readonly string[] = []

const CONSOLE = ['debug', 'error', 'info', 'log', 'trace', 'warn', 'dir', 'table'] as const

export type Kind = 'error' | 'log' | 'console' | 'output' | 'warning' | 'diagnostics' | 'inspect' | 'JSON'

export interface Shown {
  readonly kind: Kind
  /** What was shown, or where. */
  readonly of: string
  readonly text: string
}

export class Collector {
  readonly #shown: Shown[] = []
  readonly #secrets = new Map<string, string>()
  readonly #undo: (() => void)[] = []

  /** For the option of the same name. */
  readonly logger: Logger = {
    warn: (...line) => this.#keep('log', 'warn', line),
    error: (...line) => this.#keep('log', 'error', line),
  }

  get shown(): readonly Shown[] {
    return this.#shown
  }

  /** From now on `secret` must not be shown, nor have been. */
  knows(name: string, secret: string): string {
    // Shorter ones turn up by chance.
    if (secret.length < 8) throw new Error(`${name} is too short to be looked for`)
    this.#secrets.set(secret, name)
    return secret
  }

  /** Like `source`, and whatever it gives is known. */
  knowing(source: CredentialSource): CredentialSource {
    const get = async (request: CredentialRequest): ReturnType<CredentialSource['get']> => {
      const credential = await source.get(request)
      if (credential === undefined) return undefined
      const { password } = credential
      this.knows('a password that a source gave', password)
      const signature = /X-Amz-Signature=([0-9a-f]+)/.exec(password)?.[1]
      if (signature !== undefined) this.knows('the signature of a token', signature)
      this.print('a credential', credential)
      return credential
    }
    return { isClearText: source.isClearText, get }
  }

  /** Listens to everything that the process says, until `stop`. */
  start(): void {
    for (const name of CONSOLE) {
      const own = console[name]
      console[name] = (...args: unknown[]) => this.#keep('console', name, args)
      this.#undo.push(() => void (console[name] = own))
    }
    for (const stream of [process.stdout, process.stderr]) {
      const own = stream.write
      stream.write = (chunk: unknown, ...rest: []) => {
        this.#keep('output', 'a standard stream', [
          chunk instanceof Uint8Array ? Buffer.from(chunk).toString() : chunk,
        ])
        return own.call(stream, chunk as string, ...rest)
      }
      this.#undo.push(() => void (stream.write = own))
    }
    const onWarning = (warning: unknown): void => this.#keep('warning', 'the process', [warning])
    const onLost = (error: unknown): void => this.error('nobody’s', error)
    process.on('warning', onWarning).on('uncaughtExceptionMonitor', onLost).on('unhandledRejection', onLost)
    this.#undo.push(() => {
      process
        .off('warning', onWarning)
        .off('uncaughtExceptionMonitor', onLost)
        .off('unhandledRejection', onLost)
    })
    for (const name of CHANNELS) {
      const onMessage = (message: unknown): void => this.#keep('diagnostics', name, [message])
      diagnostics.subscribe(name, onMessage)
      this.#undo.push(() => void diagnostics.unsubscribe(name, onMessage))
    }
  }

  stop(): void {
    for (const undo of this.#undo.splice(0).toReversed()) undo()
  }

  /** An error with all that hangs on it: causes, members of an aggregate, stack, hidden members. */
  error(of: string, error: unknown, seen: Set<unknown> = new Set()): void {
    if (seen.has(error)) return
    seen.add(error)
    this.#keep('error', of, [error])
    if (typeof error !== 'object' || error === null) return
    for (const name of Reflect.ownKeys(error)) {
      const value: unknown = Reflect.get(error, name)
      if (name === 'cause' || name === 'leasehold') this.error(`${of}: ${name}`, value, seen)
      else if (name === 'errors' && Array.isArray(value)) for (const one of value) this.error(of, one, seen)
      else this.#keep('error', `${of}: ${String(name)}`, [value])
    }
  }

  /**
   * What a program may print of `value`, by whatever way.
   *
   * @param mayHide a driver's object keeps its password in a member of that name that is not enumerable.
   *   With `showHidden`, and then only, it may be printed: there, and as the whole of it
   */
  print(of: string, value: unknown, mayHide = false): void {
    for (const depth of [0, 2, 5, Number.POSITIVE_INFINITY]) {
      this.#add('inspect', of, inspect(value, { depth, getters: depth < 5 }))
    }
    const hidden = inspect(value, { depth: 12, showHidden: true, maxArrayLength: 20 })
    this.#add('inspect', `${of}, hidden members too`, mayHide ? this.#withoutHidden(hidden) : hidden)
    this.#add('inspect', of, String(value))
    this.#add('JSON', of, jsonOf(value))
  }

  /** Where a secret was shown. The secret itself is not in the answer. */
  leaks(): readonly string[] {
    const found = new Set<string>()
    for (const [secret, name] of this.#secrets) {
      const forms = formsOf(secret)
      for (const { kind, of, text } of this.#shown) {
        const form = forms.find((one) => text.includes(one))
        if (form === undefined) continue
        const before = text.slice(Math.max(0, text.indexOf(form) - 40), text.indexOf(form))
        found.add(`${name} in ${kind} of ${of}, after ${JSON.stringify(before)}`)
      }
    }
    return [...found]
  }

  #withoutHidden(text: string): string {
    let rest = text
    for (const secret of this.#secrets.keys()) rest = rest.replaceAll(`[password]: ${inspect(secret)}`, '')
    return rest
  }

  #keep(kind: Kind, of: string, values: readonly unknown[]): void {
    for (const value of values) {
      if (typeof value === 'string') {
        this.#add(kind, of, value)
        continue
      }
      const hidden = inspect(value, { depth: 12, showHidden: true, getters: true })
      for (const text of [inspect(value), hidden, jsonOf(value), String(value)]) this.#add(kind, of, text)
    }
  }

  #add(kind: Kind, of: string, text: string): void {
    this.#shown.push({ kind, of, text })
  }
}

/** Circles left out: what a logger does that must not fail. */
function jsonOf(value: unknown): string {
  const seen = new WeakSet()
  const once = (_name: string, member: unknown): unknown => {
    if (typeof member === 'bigint' || typeof member === 'symbol') return String(member)
    if (typeof member !== 'object' || member === null) return member
    if (seen.has(member)) return undefined
    seen.add(member)
    return member
  }
  return JSON.stringify(value, once) ?? ''
}
