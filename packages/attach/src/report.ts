/** What attachment tells: one line for each kind of thing that it met, and counts for whoever asks. */

import { type Env, systemEnv } from '@leasehold/core'

import type { Kind } from './shapes.ts'

/** What is attached to, for a test or a look from within. */
export interface AttachmentCounts {
  /** Pools and connections that are governed. */
  readonly governed: Partial<Record<Kind, number>>
  /** Pools and connections that were left as they are. */
  readonly leftAlone: Partial<Record<Kind, number>>
}

export class Report {
  readonly #env: Env
  readonly #isInherited: boolean
  readonly #said = new Set<string>()
  readonly #governed: Partial<Record<Kind, number>> = {}
  readonly #leftAlone: Partial<Record<Kind, number>> = {}

  /** @param isInherited by a program that the function started: what that prints may be somebody's to read */
  constructor(env: Env = systemEnv, isInherited = false) {
    this.#env = env
    this.#isInherited = isInherited
  }

  get counts(): AttachmentCounts {
    return { governed: { ...this.#governed }, leftAlone: { ...this.#leftAlone } }
  }

  governed(kind: Kind): void {
    this.#governed[kind] = (this.#governed[kind] ?? 0) + 1
    this.#once('info', `attached to ${kind}: governed without a change of code`, {
      cause: 'attached',
      to: kind,
    })
  }

  leftAlone(kind: Kind, because: unknown): void {
    this.#leftAlone[kind] = (this.#leftAlone[kind] ?? 0) + 1
    this.#once('warn', `${kind} is left as it is: ${reasonIn(because)}`, { cause: 'left-alone', to: kind })
  }

  leftOut(kind: Kind, what: string): void {
    this.#once('warn', `${kind}: ${what}`, { cause: 'left-out', to: kind })
  }

  /** The whole of attachment, or a level of it, is off. */
  off(because: unknown): void {
    this.#once('warn', `the function runs without governance: ${reasonIn(because)}`, {
      cause: 'not-attached',
    })
  }

  #once(level: 'info' | 'warn', message: string, details: object): void {
    if (this.#said.has(message) || (this.#isInherited && level === 'info')) return
    this.#said.add(message)
    const line =
      this.#env['AWS_LAMBDA_LOG_FORMAT'] === 'JSON'
        ? { message: `leasehold: ${message}`, ...details }
        : `leasehold: ${message} ${JSON.stringify(details)}`
    try {
      console[level](line)
    } catch {
      // A line is not worth an error.
    }
  }
}

/** In one line. */
function reasonIn(because: unknown): string {
  const message = because instanceof Error ? because.message : String(because)
  return message.replaceAll(/\s*\n\s*(?:- )?/g, '; ').replace(':;', ':')
}
