import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

import { identityFrom } from '../../src/aws/identity.ts'
import { ENV } from './scene.ts'

const CORE = fileURLToPath(new URL('../..', import.meta.url))

describe('the credentials in the environment', () => {
  it('are those that Lambda sets', () => {
    expect(identityFrom(ENV)).toEqual({
      accessKeyId: ENV.AWS_ACCESS_KEY_ID,
      secretAccessKey: ENV.AWS_SECRET_ACCESS_KEY,
      sessionToken: ENV.AWS_SESSION_TOKEN,
    })
  })

  it('have an expiry where it is set, and none where that cannot be read', () => {
    const expiration = '2026-11-21T10:00:00Z'
    expect(identityFrom({ ...ENV, AWS_CREDENTIAL_EXPIRATION: expiration })?.expiration).toEqual(
      new Date(expiration),
    )
    expect(identityFrom({ ...ENV, AWS_CREDENTIAL_EXPIRATION: 'soon' })).not.toHaveProperty('expiration')
  })

  it.each([
    ['no key', { AWS_ACCESS_KEY_ID: undefined }],
    ['an empty key', { AWS_SECRET_ACCESS_KEY: '' }],
    ['a profile, which goes first', { AWS_PROFILE: 'work' }],
  ])('are left to the SDK with %s', (_what, more) => {
    expect(identityFrom({ ...ENV, ...more })).toBeUndefined()
  })
})

/** Plays the endpoint that gives containers and SnapStart their credentials. */
const SCRIPT = `
  import { iamToken } from '@leasehold/core/aws'
  import { ManualClock } from '@leasehold/core/testing'
  const clock = new ManualClock()
  clock.setEpochBy(Date.now() - clock.epochMs())
  const keys = []
  const ask = async (source, host) => {
    const target = { host, port: 5432, user: 'app' }
    const { password } = await source.get({ target, refusals: 0, signal: new AbortController().signal })
    keys.push(Number(/Credential=AKID([0-9]+)/.exec(password)[1]))
  }
  const source = iamToken({}, { clock })
  const host = 'db.abc.eu-west-1.rds.amazonaws.com'
  await ask(source, host)
  await clock.advance(120_000)
  await ask(source, host)
  await clock.advance(30_000)
  await ask(source, host)
  await ask(iamToken({ service: 'dsql' }), 'abcd.dsql.eu-west-1.on.aws')
  console.log(JSON.stringify(keys))
`

describe("the credentials of the SDK's own chain", () => {
  it('sign where the environment has none, and say when they expire', async () => {
    let count = 0
    const endpoint = createServer((_request, response) => {
      count += 1
      const Expiration = new Date(Date.now() + 200_000).toISOString()
      const identity = { AccessKeyId: `AKID${count}`, SecretAccessKey: 's', Token: 't', Expiration }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(identity))
    })
    await new Promise<void>((resolve) => void endpoint.listen(0, '127.0.0.1', resolve))
    try {
      const env = {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/`,
        AWS_EC2_METADATA_DISABLED: 'true',
        HOME: '/nonexistent',
      }
      const flags = ['--conditions=@leasehold/source', '--input-type=module', '--eval', SCRIPT]
      const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: CORE, env })
      const [first = 0, second = 0, third = 0, dsql = 0] = JSON.parse(stdout) as number[]
      // 200 s less the 60: the second still holds after 120 s, not after 150.
      expect(second).toBe(first)
      expect(third).toBeGreaterThan(second)
      expect(dsql).toBeGreaterThan(third)
    } finally {
      endpoint.close()
    }
  })
})
