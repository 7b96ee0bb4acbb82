// Logins by token instead of a password, as RDS has them: what a test says about them and what it gets.

/** An access key whose tokens the server knows. Made up: it opens nothing anywhere else. */
export interface IamCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /**
   * Keep it short: a token may have 510 bytes, because PAM cuts the rest off. With a session token of AWS's
   * usual length it has about 1300. @defaultValue none, as for a user's own access key
   */
  readonly sessionToken?: string | undefined
  /** Tokens signed with it are refused from then on, however young. @defaultValue never */
  readonly expiresAtEpochMs?: number | undefined
}

/** As it is signed for: RDS and what belongs to it, or Aurora DSQL. */
export type IamService = 'rds-db' | 'dsql'

export interface IamOptions {
  /** Whose tokens the server takes. @defaultValue 'rds-db' */
  readonly service?: IamService | undefined
  /**
   * Database users that log in by token and in no other way, with the rights of an ordinary login.
   * @defaultValue `['iam_user']`
   */
  readonly users?: readonly string[] | undefined
  /** Where a token must have been signed for; nobody looks it up. @defaultValue where the server listens */
  readonly host?: string | undefined
  /** @defaultValue the server's port */
  readonly port?: number | undefined
  readonly region: string
  /** Every one of them may sign for every user. */
  readonly credentials: readonly IamCredentials[]
  /** See {@link Iam.setMaxAgeMs}. @defaultValue 900 000, as RDS has it */
  readonly maxAgeMs?: number | undefined
}

/**
 * Why a token was refused, in the order of the checks; `ok` if it was not. `too long`: PAM has cut it.
 * `signature`: changed, or signed
 * with another secret. `session token`, `service` (or its action), `region`, `host`, `user`: properly signed, but with
 * or for another one. `age`: too old, or from the future. `credentials expired`: {@link IamCredentials.expiresAtEpochMs}.
 */
export type IamReason =
  | 'ok'
  | 'too long'
  | 'malformed'
  | 'access key'
  | 'signature'
  | 'session token'
  | 'service'
  | 'region'
  | 'host'
  | 'user'
  | 'age'
  | 'credentials expired'

export interface IamVerdict {
  /** The database user that wanted to log in. */
  readonly user: string
  readonly accepted: boolean
  readonly reason: IamReason
  /** What the token says, in whole seconds. `undefined` if it is malformed or too long. */
  readonly signedAtEpochMs: number | undefined
}

export interface Iam {
  readonly users: readonly string[]
  /** Where a token must be signed for, which need not be where the server listens. */
  readonly host: string
  readonly port: number
  readonly region: string
  /** Tokens must be signed for this from now on: a relay in front of the server, or a proxy's name. */
  setAddress(host: string, port: number): void
  /**
   * Tokens older than this are refused from now on. Milliseconds; signatures have whole seconds, so that 3000
   * means 2 to 3 s. A token's own `X-Amz-Expires` holds besides. Sessions that are open stay.
   */
  setMaxAgeMs(maxAgeMs: number): void
  /** From now on these sign, and no others: a role's credentials were renewed, or revoked. */
  setCredentials(credentials: readonly IamCredentials[]): void
  /** Every login by token so far, in the order of the verdicts. Holds no token and no part of one. */
  verdicts(): readonly IamVerdict[]
}
