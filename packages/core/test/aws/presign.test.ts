import { DsqlSigner } from '@aws-sdk/dsql-signer'
import { Signer } from '@aws-sdk/rds-signer'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { presign } from '../../src/aws/presign.ts'
import { readToken, signatureOf } from './sigv4.ts'

const region = 'eu-west-1'
const hostname = 'db.cluster-abc.eu-west-1.rds.amazonaws.com'

// Well-formed, as headers and configuration are.
const text = (minLength: number): fc.Arbitrary<string> =>
  fc.string({ minLength, maxLength: 40, unit: 'grapheme' }).filter((given) => given.isWellFormed())
/** As AWS gives them out, plus what a query has to escape. */
const identities = fc.record(
  {
    accessKeyId: fc.stringMatching(/^[A-Z0-9]{16,20}$/),
    secretAccessKey: fc.stringMatching(/^[A-Za-z0-9/+]{40}$/),
    sessionToken: fc.stringMatching(/^[A-Za-z0-9/+=!'()* ]{1,400}$/),
  },
  { requiredKeys: ['accessKeyId', 'secretAccessKey'] },
)
const moments = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2099, 0) })

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a token that is signed without the SDK', () => {
  it('for RDS is to the letter what its signer makes', async () => {
    const ports = fc.integer({ min: 1, max: 65_535 })
    await fc.assert(
      fc.asyncProperty(
        text(1),
        ports,
        identities,
        moments,
        async (username, port, credentials, nowEpochMs) => {
          vi.setSystemTime(nowEpochMs)
          const theirs = await new Signer({ hostname, port, username, region, credentials }).getAuthToken()
          const query = { Action: 'connect', DBUser: username }
          const asked = { host: `${hostname}:${port}`, region, service: 'rds-db', query }
          expect(presign(asked, credentials, nowEpochMs)).toBe(theirs)
        },
      ),
    )
  })

  it.each(['DbConnect', 'DbConnectAdmin'])('for Aurora DSQL, for %s, is too', async (Action) => {
    const host = 'abcd.dsql.us-east-1.on.aws'
    await fc.assert(
      fc.asyncProperty(identities, moments, async (credentials, nowEpochMs) => {
        vi.setSystemTime(nowEpochMs)
        const signer = new DsqlSigner({ hostname: host, region, credentials })
        const theirs = await (Action === 'DbConnect'
          ? signer.getDbConnectAuthToken()
          : signer.getDbConnectAdminAuthToken())
        expect(presign({ host, region, service: 'dsql', query: { Action } }, credentials, nowEpochMs)).toBe(
          theirs,
        )
      }),
    )
  })

  it('is what an independent SigV4 says, and shows no key', () => {
    const identity = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'signing-key-never-shown' }
    const query = { Action: 'connect', DBUser: "A b'ü" }
    const token = presign({ host: `${hostname}:5432`, region, service: 'rds-db', query }, identity, 0)
    expect(readToken(token).signature).toBe(signatureOf(token, identity.secretAccessKey))
    expect(token).not.toContain('never-shown')
  })
})
