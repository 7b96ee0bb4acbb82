// What the sidecar keeps of secrets, over freezes and rotations: a Secrets Manager that counts, and a clock that stands still.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { SecretDesk } from '../../layer/src/sidecar/secret-desk.ts'
import { ManualClock } from '../../packages/core/src/testing/manual-clock.ts'
import { FakeSecretsManager } from '../aws/secrets-manager.ts'

const ENV = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'never-shown',
  AWS_REGION: 'eu-west-1',
}
const SHOP = { secretId: 'shop', versionStage: 'AWSCURRENT', versionId: undefined }
const TTL_MS = 300_000

let manager: FakeSecretsManager
let clock: ManualClock
beforeEach(async () => {
  manager = await FakeSecretsManager.start()
  manager.put('shop', 'old')
  clock = new ManualClock()
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', manager.endpoint)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await manager.stop()
})

/** The next answer is on its way until it is let go. */
function heldAnswer(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>()
  manager.next({ kind: 'slow', until: promise })
  return resolve
}

/** One that was asked for ahead has an answer of the time before a freeze, with a rotation in it. */
async function readThroughFreeze(desk: SecretDesk, frozenMs: number): Promise<() => void> {
  expect(await desk.read(SHOP, false)).toContain('old')
  clock.freeze(TTL_MS)
  const release = heldAnswer()
  expect(await desk.read(SHOP, false)).toContain('old')
  await manager.received(2)
  clock.freeze(frozenMs)
  manager.put('shop', 'new')
  return release
}

describe('a secret that the sidecar keeps', () => {
  it('is as old as its question: one that was refused is not given again after a freeze', async () => {
    const desk = new SecretDesk(clock, ENV)
    const release = await readThroughFreeze(desk, 20_000)
    const late = desk.read(SHOP, true)
    release()
    expect(await late).toContain('old')
    expect(await desk.read(SHOP, true)).toContain('new')
  })

  it('is not replaced by an answer to an earlier question', async () => {
    const desk = new SecretDesk(clock, ENV)
    const release = await readThroughFreeze(desk, 3_600_000)
    expect(await desk.read(SHOP, true)).toContain('new')
    release()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await desk.read(SHOP, false)).toContain('new')
    expect(manager.requests).toHaveLength(3)
  })

  it('is not kept where nothing is to be kept', async () => {
    const desk = new SecretDesk(clock, { ...ENV, SECRETS_MANAGER_TTL: '0' })
    expect(await desk.read(SHOP, false)).toContain('old')
    manager.next({ kind: 'denied' })
    await expect(desk.read(SHOP, false)).rejects.toThrow('AccessDeniedException')
    expect(await desk.read(SHOP, false)).toContain('old')
    expect(manager.requests).toHaveLength(3)
  })
})
