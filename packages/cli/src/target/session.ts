/** A governed pool and its sessions as the commands use them, whatever the driver. */

import type { EventEmitter } from 'node:events'

import { codeOf, type Engine, type FleetView, type LeaseholdOptions, type Stats } from '@leasehold/core'

export type Row = Readonly<Record<string, unknown>>

/** One session, taken out of the pool. */
export interface Session {
  readonly engine: Engine
  /** The number that the login was answered with: what is between may have made it up. */
  readonly loginId: number | undefined
  /** Resolves, once the session has ended, to the code of its last error, or to undefined where it had none. */
  readonly ended: Promise<string | undefined>
  run(statement: string): Promise<readonly Row[]>
  /** Gives it back: it is idle from now on. */
  release(): void
  /** Closes it. */
  discard(): void
}

export interface Connector {
  connect(): Promise<Session>
  /** The newest view of the server, taken on an idle session where there is one. */
  census(): Promise<FleetView | undefined>
  stats(): Readonly<Stats>
  end(): Promise<void>
}

/** What a command asks of its own pool. */
export type Governance = LeaseholdOptions & {
  /** Sessions at most. */
  readonly most: number
  /** Stands in the label of its sessions. */
  readonly name: string
}

const ends = new WeakMap<EventEmitter, Promise<string | undefined>>()

/** Resolves when the socket has closed, to the code of the connection's last error. */
export function endOf(connection: EventEmitter, stream: EventEmitter): Promise<string | undefined> {
  const known = ends.get(stream)
  if (known !== undefined) return known
  let code: string | undefined
  connection.on('error', (error: unknown) => {
    code ??= codeOf(error)
  })
  const end = new Promise<string | undefined>((resolve) => {
    stream.once('close', () => resolve(code))
  })
  ends.set(stream, end)
  return end
}
