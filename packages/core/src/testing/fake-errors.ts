/** The errors of the fake server, and what each one means. */

import type { ErrorKind } from '../errors.ts'

const KINDS = {
  /** Every slot is taken. */
  FAKE_NO_SLOT: 'saturated',
  /** The password is not the server's. */
  FAKE_WRONG_PASSWORD: 'auth',
  /** The server is down, or on its way up. */
  FAKE_STARTING: 'starting',
  /** The session sat idle for longer than its lease, so the server ended it. */
  FAKE_LAPSED: 'lost',
  /** An operator, another session or a restart ended the session. */
  FAKE_TERMINATED: 'lost',
  /** The connection is gone, and nobody said why. */
  FAKE_RESET: 'lost',
  /** A write on a server that takes none. */
  FAKE_READ_ONLY: 'read-only',
  /** The statement lost a race; the session is sound. */
  FAKE_DEADLOCK: 'transient',
  /** The server, or a proxy before it, takes no lease at start-up. */
  FAKE_LEASE_REFUSED: 'fatal',
  /** The login may not count sessions. */
  FAKE_CENSUS_REFUSED: 'fatal',
  /** Anything else that a statement can be told. */
  FAKE_STATEMENT_FAILED: 'fatal',
} as const satisfies Readonly<Record<string, ErrorKind>>

export type FakeErrorCode = keyof typeof KINDS

/** What a driver would reject with. The code is in `code`, as drivers have it. */
export class FakeServerError extends Error {
  readonly code: FakeErrorCode

  constructor(code: FakeErrorCode, message: string) {
    super(message)
    this.name = 'FakeServerError'
    this.code = code
  }
}

/** What an error means, by its code alone; what is not from a fake server is `fatal`. */
export function classifyFakeError(error: unknown): ErrorKind {
  return error instanceof FakeServerError ? KINDS[error.code] : 'fatal'
}
