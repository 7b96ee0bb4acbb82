/** Signs tokens by the AWS SDK's signers, and says until when they can be used. */

import { type Clock, Moment } from '../clock.ts'
import type { Env } from '../env.ts'
import { LeaseholdError } from '../errors.ts'
import { type AwsIdentity, type AwsIdentityProvider, identityFrom } from './identity.ts'
import { notInstalled } from './load.ts'
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

/** The part of both signers that is used. `credentials` is theirs where none were given. */
interface SdkSigner {
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
    const signer = await sdkSigner(ask, identity)
    const resolved = identity ?? (await chained(signer))
    const signed = new Moment(clock)
    const lifeMs = lifeOf(resolved?.expiration, signed)
    const bound = identity === undefined && resolved !== undefined ? await sdkSigner(ask, resolved) : signer
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
async function chained(signer: SdkSigner): Promise<AwsIdentity | undefined> {
  const provider = signer.credentials
  return typeof provider === 'function' ? ((await provider()) as AwsIdentity) : undefined
}

async function sdkSigner(ask: TokenAsk, identity: AwsIdentity | undefined): Promise<SdkSigner> {
  const { host: hostname, port, region } = ask
  const credentials = identity === undefined ? {} : { credentials: identity }
  if (ask.service === 'dsql') {
    const { DsqlSigner } = await import('@aws-sdk/dsql-signer').catch(notInstalled('@aws-sdk/dsql-signer'))
    const signer = new DsqlSigner({ hostname, region, ...credentials })
    return {
      credentials: (signer as unknown as { credentials?: unknown }).credentials,
      sign: () => (ask.isAdmin ? signer.getDbConnectAdminAuthToken() : signer.getDbConnectAuthToken()),
    }
  }
  const { Signer } = await import('@aws-sdk/rds-signer').catch(notInstalled('@aws-sdk/rds-signer'))
  const signer = new Signer({ hostname, port, region, username: ask.user ?? '', ...credentials })
  return {
    credentials: (signer as unknown as { credentials?: unknown }).credentials,
    sign: () => signer.getAuthToken(),
  }
}
