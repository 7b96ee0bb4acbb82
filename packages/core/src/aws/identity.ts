/** Who signs: the credentials of the function's role. */

import type { Env } from '../env.ts'
import { dateOf } from './dates.ts'

/** AWS credentials, in the SDK's shape. */
export interface AwsIdentity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  /** When they expire. Undefined where whoever gave them does not say. */
  readonly expiration?: Date
}

/** Resolves to credentials that are valid now. Any provider of `@aws-sdk/credential-providers` is one. */
export type AwsIdentityProvider = () => Promise<AwsIdentity>

/**
 * The credentials in the environment, as Lambda sets them; undefined where there are none, or where
 * `AWS_PROFILE` asks for others, and the SDK's own chain must look (containers, SnapStart, a laptop).
 * This spares Lambda the chain, which takes longer to load than a token takes to sign.
 */
export function identityFrom(env: Env): AwsIdentity | undefined {
  const accessKeyId = env['AWS_ACCESS_KEY_ID']
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY']
  if (!accessKeyId || !secretAccessKey || env['AWS_PROFILE']) return undefined
  const sessionToken = env['AWS_SESSION_TOKEN']
  const expiresEpochMs = epochMsOf(env['AWS_CREDENTIAL_EXPIRATION'])
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken ? { sessionToken } : {}),
    ...(expiresEpochMs === undefined ? {} : { expiration: dateOf(expiresEpochMs) }),
  }
}

function epochMsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const epochMs = dateOf(text).getTime()
  return Number.isNaN(epochMs) ? undefined : epochMs
}
