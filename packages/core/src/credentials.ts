/** The port through which a pool gets its credential, fresh for every physical connection. */

import type { Observe } from './metrics.ts'

/** Where a credential is for. */
export interface CredentialTarget {
  /** The host that is really connected to: a token is signed for it. */
  readonly host: string
  readonly port: number
  /** The user of the pool's options; a secret may know better. */
  readonly user: string | undefined
}

/** What a connect logs in with. Never printed, never logged. */
export interface Credential {
  /** Set where the source knows the user name: alternating secrets change it at every rotation. */
  readonly user: string | undefined
  readonly password: string
}

export interface CredentialRequest {
  readonly target: CredentialTarget
  /**
   * How often the server has refused what this source gave for this connect: 0 at the first attempt.
   * 1 asks for a renewed credential; 2 and more for whatever else may be right, such as the secret
   * that a rotation is about to make current.
   */
  readonly refusals: number
  /**
   * What the server has refused for this connect, oldest first: a source does not give it again, and
   * saves the server the attempt. Without it a source goes by `refusals` alone.
   */
  readonly refused?: readonly Credential[] | undefined
  /** Aborts at the deadline of the attempt. */
  readonly signal: AbortSignal
  /** Takes what the source measures on this request's behalf: ages, renewals. */
  readonly observe?: Observe | undefined
}

export interface CredentialSource {
  /**
   * True when the password goes over the wire as it is (an IAM token): the adapters then refuse to
   * send it without TLS.
   */
  readonly isClearText: boolean
  /**
   * Resolves to a credential, or to undefined when there is nothing else to try after a refusal: the
   * driver's own error then surfaces. Rejects when nothing could be fetched. Caches by itself; many
   * may ask at once.
   */
  get(request: CredentialRequest): Promise<Credential | undefined>
}

/** A credential that prints no password: neither `util.inspect` nor `JSON.stringify` sees it. */
export function newCredential(user: string | undefined, password: string): Credential {
  const credential = { user } as Credential
  // A value would be printed with the hidden members.
  Object.defineProperty(credential, 'password', { get: () => password, enumerable: false })
  return Object.freeze(credential)
}

export function isSameCredential(left: Credential, right: Credential): boolean {
  return left.user === right.user && left.password === right.password
}
