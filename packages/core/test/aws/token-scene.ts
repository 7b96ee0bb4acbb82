/** What the tests of tokens share. */

import type { AwsIdentity } from '../../src/aws/identity.ts'
import type { CredentialSource } from '../../src/credentials.ts'
import type { ManualClock } from '../../src/testing/manual-clock.ts'
import { request } from './scene.ts'
import { readToken } from './sigv4.ts'

export interface CountingIdentity {
  count: number
  provide(): Promise<AwsIdentity>
}

/** Signing credentials that count how often they are asked for, each a little different. */
export function countingIdentity(clock: ManualClock, lifeMs?: number): CountingIdentity {
  const counting = {
    count: 0,
    async provide(): Promise<AwsIdentity> {
      counting.count += 1
      const identity = { accessKeyId: `AKID${counting.count}`, secretAccessKey: 'signing-key-never-shown' }
      if (lifeMs === undefined) return identity
      return { ...identity, expiration: new Date(clock.epochMs() + lifeMs) }
    },
  }
  return counting
}

export async function tokenOf(
  source: CredentialSource,
  more: Parameters<typeof request>[0] = {},
): Promise<string> {
  const credential = await source.get(request(more))
  if (credential === undefined) throw new Error('no credential')
  return credential.password
}

export async function keyOf(
  source: CredentialSource,
  more: Parameters<typeof request>[0] = {},
): Promise<string> {
  return readToken(await tokenOf(source, more)).accessKeyId
}
