/** What a fake server is made with, and what a client says to it. */

import type { Clock } from '../clock.ts'
import type { FakeSession } from './fake-session.ts'

export interface FakeServerOptions {
  /** @defaultValue the system's clock */
  readonly clock?: Clock | undefined
  /** How many sessions may be open at once. @defaultValue 10 */
  readonly slotCount?: number | undefined
  /** How long an answer travels, in milliseconds; 0 answers within the turn. @defaultValue 0 */
  readonly roundTripMs?: number | undefined
  /** How long the answer to a connect travels, a refusal included. @defaultValue `roundTripMs` */
  readonly connectMs?: number | undefined
  /** The only password that logs in; undefined: any does. @defaultValue undefined */
  readonly password?: string | undefined
  /** The rows of an application's statement. @defaultValue none */
  readonly reply?: ((statement: string, session: FakeSession) => readonly unknown[]) | undefined
}

/** What a client says when it connects. */
export interface FakeConnectRequest {
  readonly password?: string | undefined
  /** What the session calls itself in a census. */
  readonly label?: string | undefined
  /** The lease asked for at start-up, in milliseconds. */
  readonly leaseMs?: number | undefined
  /** Gives up waiting for the answer, and closes what arrives late. */
  readonly signal?: AbortSignal | undefined
}
