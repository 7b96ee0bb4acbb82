/** What the tests of credentials start from: a clock that stands still, and a request that can be refused. */

import type {
  Credential,
  CredentialRequest,
  CredentialSource,
  CredentialTarget,
} from '../../src/credentials.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { ScriptedRandom } from '../../src/testing/scripted-random.ts'

export const TARGET: CredentialTarget = {
  host: 'db.cluster-abc.eu-west-1.rds.amazonaws.com',
  port: 5432,
  user: 'app',
}

export const ENV = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'signing-key-never-shown',
  AWS_SESSION_TOKEN: 'session-token-never-shown',
  AWS_REGION: 'us-east-2',
}

/** Longer sleeps are limits: they must not pass while a real answer is on its way. */
const LONGEST_WAIT_MS = 2_000

/** Tells waits, which a test lets pass, from limits. */
export class WaitingClock extends ManualClock {
  waitingCount = 0

  override async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (durationMs > LONGEST_WAIT_MS) return super.sleep(durationMs, signal)
    this.waitingCount += 1
    try {
      await super.sleep(durationMs, signal)
    } finally {
      this.waitingCount -= 1
    }
  }

  /** Lets answers arrive, without letting time pass, until nothing is waited for. */
  async settle(): Promise<void> {
    while (this.pendingCount > 0) await this.advance(0)
  }
}

export interface AwsScene {
  readonly clock: WaitingClock
  readonly random: ScriptedRandom
  readonly env: Record<string, string | undefined>
}

/** Chance says 1 or nearly: a jittered time is the whole of it. */
export function setAwsScene(env: Record<string, string | undefined> = ENV): AwsScene {
  return { clock: new WaitingClock(), random: new ScriptedRandom(0.999_999), env: { ...env } }
}

export function request(more: Partial<CredentialRequest> = {}): CredentialRequest {
  return { target: TARGET, refusals: 0, signal: new AbortController().signal, ...more }
}

/** Settles `work`, letting time pass only while it waits for that. */
export async function drive<T>(clock: WaitingClock, work: Promise<T>): Promise<T> {
  let isSettled = false
  const settle = (): void => {
    isSettled = true
  }
  work.then(settle, settle)
  while (!isSettled) {
    await clock.advance(0)
    if (!isSettled && clock.waitingCount > 0) await clock.advance(10)
  }
  return work
}

/** A connect as the core makes it: asks, is refused, asks again. Resolves to what let it in, or undefined. */
export async function logIn(
  source: CredentialSource,
  isRight: (credential: Credential) => boolean,
  target: CredentialTarget = TARGET,
): Promise<{ credential: Credential | undefined; attempts: number }> {
  const refused: Credential[] = []
  for (;;) {
    const credential = await source.get(request({ target, refusals: refused.length, refused }))
    if (credential === undefined) return { credential, attempts: refused.length }
    if (isRight(credential)) return { credential, attempts: refused.length + 1 }
    refused.push(credential)
  }
}
