/** Asks Secrets Manager itself, by the application's AWS SDK. */

import type * as Sdk from '@aws-sdk/client-secrets-manager'

import type { Env } from '../env.ts'
import { LeaseholdError } from '../errors.ts'
import { type AwsIdentity, type AwsIdentityProvider, identityFrom } from './identity.ts'
import { elsewhereOrFail } from './load.ts'
import { regionOfArn, regionOfEnv } from './region.ts'
import type { AskForSecret, SecretPlace } from './secret-reader.ts'

export interface SecretsManagerAsk {
  readonly secretId: string
  /** This version, whatever its stage. */
  readonly versionId?: string | undefined
  readonly region: string | undefined
  readonly endpoint: string | undefined
  readonly credentials: AwsIdentity | AwsIdentityProvider | undefined
}

/** A version of a secret as Secrets Manager hands it out. */
export interface SecretAnswer {
  readonly SecretString?: string | undefined
  readonly SecretBinary?: Uint8Array | undefined
}

/** @param read makes a text of the answer */
export function secretsManagerPlace(
  ask: SecretsManagerAsk,
  env: Env,
  read: (answer: SecretAnswer) => string = textOf,
): SecretPlace {
  return {
    what: `the secret \`${ask.secretId}\``,
    ifUnavailable:
      'is there a way to Secrets Manager (NAT gateway or VPC endpoint), and is its quota used up?',
    open: () => openClient(ask, env, read),
  }
}

async function openClient(
  ask: SecretsManagerAsk,
  env: Env,
  read: (answer: SecretAnswer) => string,
): Promise<AskForSecret> {
  const { secretId, versionId, endpoint } = ask
  const found = await import('@aws-sdk/client-secrets-manager').catch(
    elsewhereOrFail('@aws-sdk/client-secrets-manager', env),
  )
  const sdk = found as typeof Sdk
  const region = ask.region ?? regionOfArn(secretId) ?? regionOfEnv(env)
  const credentials = ask.credentials ?? identityFrom(env)
  const client = new sdk.SecretsManagerClient({
    // Tried again by the reader: within its limit, by its clock.
    maxAttempts: 1,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  })
  // The SDK may find one in a file; that it did not is an error without a name.
  if (region === undefined) await client.config.region().catch(() => needsRegion(secretId))
  return async ({ versionStage, signal }) => {
    const version = versionId === undefined ? { VersionStage: versionStage } : { VersionId: versionId }
    const command = new sdk.GetSecretValueCommand({ SecretId: secretId, ...version })
    return read(await client.send(command, { abortSignal: signal }))
  }
}

function textOf({ SecretString, SecretBinary }: SecretAnswer): string {
  return SecretString ?? new TextDecoder().decode(SecretBinary)
}

function needsRegion(secretId: string): never {
  throw new LeaseholdError(
    'CREDENTIALS_INVALID',
    `the secret \`${secretId}\` needs a region: set \`region\`, or AWS_REGION, or give its ARN`,
  )
}
