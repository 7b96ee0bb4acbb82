import { describe, expect, it } from 'vitest'

import type { AwsIdentity } from '../../src/aws/identity.ts'
import { iamToken } from '../../src/aws/index.ts'
import { rejectionOf } from '../scene.ts'
import { drive, ENV, request, setAwsScene, TARGET } from './scene.ts'
import { readToken, signatureOf } from './sigv4.ts'
import { tokenOf } from './token-scene.ts'

describe('a token', () => {
  it('is signed for host, port, user and region, for 15 minutes, as an independent SigV4 says', async () => {
    const token = await tokenOf(iamToken({}, setAwsScene()))
    const read = readToken(token)
    expect(read).toMatchObject({
      host: `${TARGET.host}:5432`,
      accessKeyId: 'AKIDEXAMPLE',
      region: 'eu-west-1',
      service: 'rds-db',
    })
    expect(Object.fromEntries(read.query)).toMatchObject({
      Action: 'connect',
      DBUser: 'app',
      'X-Amz-Expires': '900',
      'X-Amz-Security-Token': ENV.AWS_SESSION_TOKEN,
    })
    expect(read.signature).toBe(signatureOf(token, ENV.AWS_SECRET_ACCESS_KEY))
  })

  it('goes over the wire as it is, so that the adapters ask for TLS', () => {
    expect(iamToken().isClearText).toBe(true)
  })

  it('is for the user as the database knows it, and gives it back', async () => {
    const credential = await iamToken({}, setAwsScene()).get(
      request({ target: { ...TARGET, user: "A b'ü" } }),
    )
    expect(credential?.user).toBe("A b'ü")
    const token = credential?.password ?? ''
    expect(readToken(token).query.get('DBUser')).toBe("A b'ü")
    expect(readToken(token).signature).toBe(signatureOf(token, ENV.AWS_SECRET_ACCESS_KEY))
  })

  it.each([
    ['db.abc.eu-central-1.rds.amazonaws.com', 'eu-central-1'],
    ['my.proxy-abc.ap-south-2.rds.amazonaws.com', 'ap-south-2'],
    ['db.cluster-ro-abc.us-gov-west-1.rds.amazonaws.com', 'us-gov-west-1'],
    ['db.abc.cn-north-1.rds.amazonaws.com.cn', 'cn-north-1'],
    ['db.abc.rds.cn-northwest-1.amazonaws.com.cn', 'cn-northwest-1'],
    ['DB.ABC.EU-WEST-3.RDS.AMAZONAWS.COM.', 'eu-west-3'],
  ])('for %s is signed in the region %s', async (host, region) => {
    const read = readToken(await tokenOf(iamToken({}, setAwsScene()), { target: { ...TARGET, host } }))
    expect(read).toMatchObject({ region, host: `${host.toLowerCase().replace(/\.$/, '')}:5432` })
  })

  it('takes the region of the options before that of the host name', async () => {
    const token = await tokenOf(iamToken({ region: 'sa-east-1' }, setAwsScene()))
    expect(readToken(token).region).toBe('sa-east-1')
  })

  it('is signed for the endpoint behind a tunnel or a CNAME where that is named', async () => {
    const source = iamToken({ hostname: TARGET.host, port: 5432 }, setAwsScene())
    const token = await tokenOf(source, { target: { host: '127.0.0.1', port: 15_432, user: 'app' } })
    expect(readToken(token)).toMatchObject({ host: `${TARGET.host}:5432`, region: 'eu-west-1' })
  })

  it('takes the region of the environment where the named host has none', async () => {
    const scene = setAwsScene({ ...ENV, AWS_REGION: undefined, AWS_DEFAULT_REGION: 'ca-west-1' })
    const token = await tokenOf(iamToken({ hostname: 'db.internal' }, scene))
    expect(readToken(token)).toMatchObject({ host: 'db.internal:5432', region: 'ca-west-1' })
  })
})

describe('a token for Aurora DSQL', () => {
  const target = { host: 'abcd.dsql.us-east-1.on.aws', port: 5432, user: 'app' }

  it.each([
    ['app', {}, 'DbConnect'],
    ['admin', {}, 'DbConnectAdmin'],
    ['admin', { admin: false }, 'DbConnect'],
    ['app', { admin: true }, 'DbConnectAdmin'],
  ])('for the user %s with %o asks for %s', async (user, options, action) => {
    const source = iamToken({ service: 'dsql', ...options }, setAwsScene())
    const token = await tokenOf(source, { target: { ...target, user } })
    const read = readToken(token)
    expect(read).toMatchObject({ host: target.host, region: 'us-east-1', service: 'dsql' })
    expect(read.query.get('Action')).toBe(action)
    expect(read.signature).toBe(signatureOf(token, ENV.AWS_SECRET_ACCESS_KEY))
  })
})

describe('a token that cannot be made', () => {
  const refusal = async (options: object, target: object = {}, env: object = ENV): Promise<unknown> => {
    const source = iamToken(options, setAwsScene({ ...env }))
    return rejectionOf(source.get(request({ target: { ...TARGET, ...target } })))
  }

  it.each(['db.example.com', '10.0.0.7', 'localhost', 'x.rds.amazonaws.com.evil.test'])(
    'for %s: a CNAME or an address does not work, and what does',
    async (host) => {
      const error = await refusal({}, { host })
      expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID' })
      expect(String(error)).toMatch(/token for a CNAME .* does not work.*`iamToken\(\{ hostname \}\)`/)
    },
  )

  it('without a user says so', async () => {
    expect(String(await refusal({}, { user: undefined }))).toMatch(/set `user`/)
  })

  it('without a region says so', async () => {
    const env = { ...ENV, AWS_REGION: undefined }
    expect(String(await refusal({ hostname: 'db.internal' }, {}, env))).toMatch(/set `region`, or AWS_REGION/)
  })

  it('with credentials that have expired says since when', async () => {
    const scene = setAwsScene()
    const expiration = new Date(scene.clock.epochMs() - 5_000)
    const credentials = { accessKeyId: 'AKID', secretAccessKey: 'signing-key-never-shown', expiration }
    const error = await rejectionOf(tokenOf(iamToken({ credentials }, scene)))
    expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID' })
    expect(String(error)).toMatch(/expired 5 s ago/)
  })

  it('within its limit gives up, though whoever gives the credentials hangs', async () => {
    const scene = setAwsScene()
    const source = iamToken({ credentials: () => new Promise(() => undefined), limitMs: 500 }, scene)
    const error = await drive(scene.clock, rejectionOf(tokenOf(source)))
    expect(error).toMatchObject({ code: 'CREDENTIALS_UNAVAILABLE' })
    expect(String(error)).toMatch(/no answer within 500 ms/)
  })

  it("rejects with the connect's own reason as soon as that gives up, and works for others", async () => {
    const scene = setAwsScene()
    let give: (identity: AwsIdentity) => void = () => undefined
    const source = iamToken({ credentials: () => new Promise((resolve) => (give = resolve)) }, scene)
    const impatient = new AbortController()
    const reason = new Error('no time left')
    const rejected = rejectionOf(tokenOf(source, { signal: impatient.signal }))
    const patient = tokenOf(source)
    impatient.abort(reason)
    expect(await rejected).toBe(reason)
    give({ accessKeyId: 'AKID', secretAccessKey: 'signing-key-never-shown' })
    expect(readToken(await patient).accessKeyId).toBe('AKID')
    expect(scene.clock.pendingCount).toBe(0)
  })

  it('because of its options names every one of them', () => {
    const options = { regionn: 'eu-west-1', port: 0, service: 'redshift', limitMs: 1.5 } as never
    expect(() => iamToken(options)).toThrow(
      [
        'invalid options of iamToken:',
        ' - unknown option `regionn` (did you mean `region`?)',
        ' - `port` must be a whole number from 1 to 65535',
        " - `service` must be 'rds' or 'dsql'",
        ' - `limitMs` must be a whole number of milliseconds from 1 to 60000',
      ].join('\n'),
    )
  })
})
