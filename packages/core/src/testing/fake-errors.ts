/** The errors of the fake server, and what each one means. */

import { codeOf, type ErrorKind } from '../errors.ts'

/**
 * The code of every error that a fake server gives.
 *
 * - `FAKE_NO_SLOT`: every slot is taken
 * - `FAKE_WRONG_PASSWORD`: the password is not the server's
 * - `FAKE_STARTING`: the server is down, or on its way up
 * - `FAKE_LAPSED`: the session sat idle for longer than its lease, so the server ended it
 * - `FAKE_TERMINATED`: an operator, another session or a restart ended the session
 * - `FAKE_RESET`: the connection is gone, and nobody said why
 * - `FAKE_READ_ONLY`: a write on a server that takes none
 * - `FAKE_DEADLOCK`: the statement lost a race; the session is sound
 * - `FAKE_CANCELLED`: the statement was cancelled while it ran
 * - `FAKE_ABORTED`: an earlier statement of the transaction failed, so only a rollback is taken
 * - `FAKE_LEASE_REFUSED`: the server, or a proxy before it, takes no lease at start-up
 * - `FAKE_CENSUS_REFUSED`: the login may not count sessions
 * - `FAKE_STATEMENT_FAILED`: anything else that a statement can be told
 */
export type FakeErrorCode =
  | 'FAKE_NO_SLOT'
  | 'FAKE_WRONG_PASSWORD'
  | 'FAKE_STARTING'
  | 'FAKE_LAPSED'
  | 'FAKE_TERMINATED'
  | 'FAKE_RESET'
  | 'FAKE_READ_ONLY'
  | 'FAKE_DEADLOCK'
  | 'FAKE_CANCELLED'
  | 'FAKE_ABORTED'
  | 'FAKE_LEASE_REFUSED'
  | 'FAKE_CENSUS_REFUSED'
  | 'FAKE_STATEMENT_FAILED'

const KINDS: Readonly<Record<FakeErrorCode, ErrorKind>> = {
  FAKE_NO_SLOT: 'saturated',
  FAKE_WRONG_PASSWORD: 'auth',
  FAKE_STARTING: 'starting',
  FAKE_LAPSED: 'lost',
  FAKE_TERMINATED: 'lost',
  FAKE_RESET: 'lost',
  FAKE_READ_ONLY: 'read-only',
  FAKE_DEADLOCK: 'transient',
  FAKE_CANCELLED: 'fatal',
  FAKE_ABORTED: 'fatal',
  FAKE_LEASE_REFUSED: 'fatal',
  FAKE_CENSUS_REFUSED: 'fatal',
  FAKE_STATEMENT_FAILED: 'fatal',
}

/** What a driver would reject with. The code is in `code`, as drivers have it. */
export class FakeServerError extends Error {
  readonly code: FakeErrorCode

  constructor(code: FakeErrorCode, message: string) {
    super(message)
    this.name = 'FakeServerError'
    this.code = code
  }
}

export function lapsedError(): FakeServerError {
  return new FakeServerError('FAKE_LAPSED', 'the session sat idle for longer than its lease')
}

export function resetError(): FakeServerError {
  return new FakeServerError('FAKE_RESET', 'the connection was reset')
}

/**
 * What an error means, by its code alone, so that it holds across copies of the package too. What
 * has no code of a fake server is `fatal`.
 */
export function classifyFakeError(error: unknown): ErrorKind {
  const code = codeOf(error)
  return isFakeCode(code) ? KINDS[code] : 'fatal'
}

function isFakeCode(code: string): code is FakeErrorCode {
  return Object.hasOwn(KINDS, code)
}
