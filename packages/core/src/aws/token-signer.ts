/** Signs tokens, by the AWS SDK's signers where they are, and says until when they can be used. */

import type * as DsqlSdk from '@aws-sdk/dsql-signer'
import type * as RdsSdk from '@aws-sdk/rds-signer'

import { type Clock, Moment } from '../clock.ts'
import type { Env } from '../env.ts'
import { LeaseholdError } from '../errors.ts'
import { type AwsIdentity, type AwsIdentityProvider, identityFrom } from './identity.ts'
import { elsewhere, notInstalled } from './load.ts'
import { type Presigned, presign } from './presign.ts'
import type { TokenService } from './region.ts'

/** The server refuses a token that is older. Source: RDS User Guide, IAM database authentication. */
const TOKEN_LIFE_MS = 900_000

/** What a token is signed for. */
export interface TokenAsk {
  readonly service: TokenService
  readonly host: string
  readonly port: number
  readonly user: string | undefined
  readonly region: string
  /** Aurora DSQL: for the role `admin`, which needs an action of its own. */
  readonly isAdmin: boolean
}

export interface SignedToken {
  readonly token: string
  readonly signed: Moment
  /** From `signed`: the shorter of the token's life and what was left of the signing credentials'. */
  readonly lifeMs: number
}

/** What signs. `credentials` is an SDK signer's own where none were given. */
interface TokenSigner {
  readonly credentials?: unknown
  sign(): Promise<string>
}

export type SignToken = (ask: TokenAsk) => Promise<SignedToken>

/**
 * The signing credentials are resolved here, once for each token, because nobody else would tell when
 * they expire: a token dies with them.
 */
export function tokenSigner(
  given: AwsIdentity | AwsIdentityProvider | undefined,
  clock: Clock,
  env: Env,
): SignToken {
  return async (ask) => {
    const identity = (typeof given === 'function' ? await given() : given) ?? identityFrom(env)
    const signer = await signerFor(ask, identity, clock, env)
    const resolved = identity ?? (await chained(signer))
    const signed = new Moment(clock)
    const lifeMs = lifeOf(resolved?.expiration, signed)
    const bound =
      identity === undefined && resolved !== undefined ? await signerFor(ask, resolved, clock, env) : signer
    return { token: await bound.sign(), signed, lifeMs }
  }
}

/** @throws LeaseholdError `CREDENTIALS_INVALID` where the credentials have expired: no server would take it */
function lifeOf(expiration: Date | undefined, signed: Moment): number {
  if (expiration === undefined) return TOKEN_LIFE_MS
  const leftMs = expiration.getTime() - signed.epochMs
  if (leftMs > 0) return Math.min(TOKEN_LIFE_MS, leftMs)
  throw new LeaseholdError(
    'CREDENTIALS_INVALID',
    `the AWS credentials that would sign the token expired ${Math.round(-leftMs / 1_000)} s ago: renew them`,
  )
}

/** Without credentials a signer has the SDK's chain of providers as its own. */
async function chained(signer: TokenSigner): Promise<AwsIdentity | undefined> {
  const provider = signer.credentials
  return typeof provider === 'function' ? ((await provider()) as AwsIdentity) : undefined
}

/** @throws LeaseholdError `CREDENTIALS_INVALID` where only the SDK could find credentials, and it is not there */
async function signerFor(
  ask: TokenAsk,
  identity: AwsIdentity | undefined,
  clock: Clock,
  env: Env,
): Promise<TokenSigner> {
  const signer = await (ask.service === 'dsql'
    ? dsqlSigner(ask, identity, env)
    : rdsSigner(ask, identity, env))
  if (signer !== undefined) return signer
  if (identity === undefined) {
    throw notInstalled(`@aws-sdk/${ask.service}-signer`, undefined, NOBODY_SIGNS)
  }
  return { sign: () => Promise.resolve(presign(presignedOf(ask), identity, clock.epochMs())) }
}

const NOBODY_SIGNS =
  '. Without it a token is signed all the same, but not by a profile or by what the SDK would look for: ' +
  'give `credentials`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'

async function rdsSigner(
  ask: TokenAsk,
  identity: AwsIdentity | undefined,
  env: Env,
): Promise<TokenSigner | undefined> {
  const found = await import('@aws-sdk/rds-signer').catch(elsewhere('@aws-sdk/rds-signer', env))
  const sdk = found as typeof RdsSdk | undefined
  if (sdk === undefined) return undefined
  const { host: hostname, port, region, user: username = '' } = ask
  const signer = new sdk.Signer({ hostname, port, region, username, ...credentialsOf(identity) })
  return { credentials: ownCredentials(signer), sign: () => signer.getAuthToken() }
}

async function dsqlSigner(
  ask: TokenAsk,
  identity: AwsIdentity | undefined,
  env: Env,
): Promise<TokenSigner | undefined> {
  const found = await import('@aws-sdk/dsql-signer').catch(elsewhere('@aws-sdk/dsql-signer', env))
  const sdk = found as typeof DsqlSdk | undefined
  if (sdk === undefined) return undefined
  const { host: hostname, region, isAdmin } = ask
  const signer = new sdk.DsqlSigner({ hostname, region, ...credentialsOf(identity) })
  return {
    credentials: ownCredentials(signer),
    sign: () => (isAdmin ? signer.getDbConnectAdminAuthToken() : signer.getDbConnectAuthToken()),
  }
}

function credentialsOf(identity: AwsIdentity | undefined): { credentials?: AwsIdentity } {
  return identity === undefined ? {} : { credentials: identity }
}

function ownCredentials(signer: object): unknown {
  return (signer as { credentials?: unknown }).credentials
}

/** What the SDK's signers would sign. */
function presignedOf({ service, host, port, user = '', region, isAdmin }: TokenAsk): Presigned {
  if (service === 'dsql') {
    return { host, region, service, query: { Action: isAdmin ? 'DbConnectAdmin' : 'DbConnect' } }
  }
  const query = { Action: 'connect', DBUser: user }
  return { host: `${host}:${port}`, region, service: 'rds-db', query }
}
