// Nothing leaks when a source of credentials fails, or the server refuses what it gave.
import type { Credential, CredentialSource } from '@leasehold/core'
import { iamToken, secret, type SecretOptions } from '@leasehold/core/aws'
import { createAuthority, type DatabaseServer } from '@leasehold/test-databases'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { FakeSecretsManager, type Mishap } from '../../aws/secrets-manager.ts'
import { ENGINES, LONG, type Options, placeOf } from './engines.ts'
import { leakScene } from './scene.ts'

const REGION = 'eu-west-1'
const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf'
/** Made up. The session token is short, because PAM cuts long ones; and looks different in an address. */
const SIGNER = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'signing/key+of=nobody',
  sessionToken: 'session/tok+en=',
}
const EXTENSION_TOKEN = 'session/token+of=the-extension'
const WRONG = 'wrong/p+ss "w&rd" ü=%41'

describe.each(ENGINES)('nothing secret of a source on $name is shown', (engine) => {
  const scene = leakScene(engine)
  const { codes } = engine
  let plain: DatabaseServer
  let withTls: DatabaseServer
  let ca: string
  let manager: FakeSecretsManager

  beforeAll(async () => {
    const authority = await createAuthority()
    ca = authority.ca
    plain = await engine.start({ settings: engine.withoutTls })
    const tls = await authority.issue()
    const iam = { users: ['iam_one', 'iam_two'], host: 'localhost', region: REGION, credentials: [SIGNER] }
    // Where no server can verify tokens, none is refused for what it says.
    withTls = await (engine.startIam === undefined
      ? engine.start({ tls })
      : engine.startIam.start({ tls, iam }))
    manager = await FakeSecretsManager.start()
  })
  afterAll(async () => {
    await manager.stop()
    await plain.dispose()
    await withTls.dispose()
  })
  beforeEach(() => {
    scene.collector.knows('the key that signs', SIGNER.secretAccessKey)
    scene.collector.knows('the session token', SIGNER.sessionToken)
    scene.collector.knows('the token for the extension', EXTENSION_TOKEN)
    scene.collector.knows('the password of the login', plain.login.password)
    manager.always(undefined)
  })

  const token = (options: object = {}): CredentialSource =>
    iamToken({ hostname: 'localhost', region: REGION, credentials: SIGNER, ...options })
  const overTls = (credentials: CredentialSource, user = 'iam_one'): Options => ({
    ...placeOf(withTls),
    user,
    ssl: { ca, verifyIdentity: true },
    credentials,
  })

  describe.each(engine.startIam === undefined ? [] : [engine.startIam.name])('tokens to %s', () => {
    it('while all is well', async () => {
      await scene.success(overTls(token()))
      expect(withTls.iam?.verdicts().at(-1)?.reason).toBe('ok')
    })

    it('when a statement is stopped at its limit', async () => {
      const error = await scene.failure({ ...overTls(token()), queryTimeoutMs: 100 }, LONG)
      expect(error.code).toBe('QUERY_TIMEOUT')
    })

    it.each([
      ['region', { region: 'us-east-1' }],
      ['host', { hostname: 'elsewhere.example' }],
      ['access key', { credentials: { ...SIGNER, accessKeyId: 'AKIDOTHER' } }],
      ['signature', { credentials: { ...SIGNER, secretAccessKey: 'another/key+of=nobody' } }],
      ['session token', { credentials: { ...SIGNER, sessionToken: 'another/tok+en=' } }],
    ])('when the server refuses a token for its %s', async (reason, options) => {
      scene.collector.knows('another key', 'another/key+of=nobody')
      scene.collector.knows('another session token', 'another/tok+en=')
      expect((await scene.failure(overTls(token(options)))).code).toBe(codes.tokenDenied)
      expect(withTls.iam?.verdicts().at(-1)?.reason).toBe(reason)
    })

    it('when the server refuses a token for another user', async () => {
      const given = token()
      const ofAnother: CredentialSource = {
        isClearText: true,
        get: async (request) => {
          const target = { ...request.target, user: 'iam_two' }
          const credential = await given.get({ ...request, target })
          return credential && hidingPassword('iam_one', credential.password)
        },
      }
      const error = await scene.failure(overTls(ofAnother))
      expect(error.code).toBe(codes.tokenDenied)
      expect(withTls.iam?.verdicts().at(-1)?.reason).toBe('user')
    })

    it('when the server refuses a token for its age', async () => {
      withTls.iam?.setMaxAgeMs(-1_000)
      try {
        expect((await scene.failure(overTls(token()))).code).toBe(codes.tokenDenied)
        expect(withTls.iam?.verdicts().at(-1)?.reason).toBe('age')
      } finally {
        withTls.iam?.setMaxAgeMs(900_000)
      }
    })
  })

  it('when a token would go over a plain socket', async () => {
    const options = { ...placeOf(plain), user: 'iam_one', credentials: token() }
    expect((await scene.failure(options)).code).toBe('TLS_REQUIRED')
  })

  it('when a server offers no TLS to a token', async () => {
    const options = { ...placeOf(plain), user: 'iam_one', ssl: { ca }, credentials: token() }
    expect((await scene.failure(options)).message).toMatch(codes.noTls)
  })

  it.each<[string, object, string]>([
    ['have expired', { credentials: { ...SIGNER, expiration: new Date(0) } }, 'CREDENTIALS_INVALID'],
    ['cannot be read', { credentials: unreadable }, 'CREDENTIALS_INVALID'],
    ['are missing', { credentials: missing }, 'CREDENTIALS_INVALID'],
    ['do not come', { credentials: () => new Promise(() => {}), limitMs: 50 }, 'CREDENTIALS_UNAVAILABLE'],
  ])('when the credentials that sign %s', async (_what, options, code) => {
    expect((await scene.failure(overTls(token(options)))).code).toBe(code)
  })

  it('when a password stands next to the source', async () => {
    scene.collector.knows('a password', WRONG)
    const options = { ...overTls(token({ credentials: missing })), password: WRONG }
    expect((await scene.failure(options)).code).toBe('CREDENTIALS_INVALID')
  })

  const ofManager = (options: SecretOptions = {}): Options => {
    const env = {
      AWS_SESSION_TOKEN: EXTENSION_TOKEN,
      PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: new URL(manager.endpoint).port,
    }
    const isExtension = options.source === 'extension'
    const asker = isExtension ? {} : { endpoint: manager.endpoint, region: REGION, credentials: SIGNER }
    const credentials = secret(ARN, { limitMs: 300, ...asker, ...options }, { env })
    return { ...placeOf(plain), credentials }
  }

  describe.each(['secrets-manager', 'extension'] as const)('secrets by %s', (source) => {
    it('while all is well', async () => {
      manager.put(ARN, { username: plain.login.user, password: plain.login.password })
      await scene.success(ofManager({ source }))
    })

    it('when a statement is stopped at its limit', async () => {
      manager.put(ARN, { username: plain.login.user, password: plain.login.password })
      const error = await scene.failure({ ...ofManager({ source }), queryTimeoutMs: 100 }, LONG)
      expect(error.code).toBe('QUERY_TIMEOUT')
    })

    it.each<[Mishap, string]>([
      [{ kind: 'denied' }, 'CREDENTIALS_INVALID'],
      [{ kind: 'deleted' }, 'CREDENTIALS_INVALID'],
      [{ kind: 'undecryptable' }, 'CREDENTIALS_INVALID'],
      [{ kind: 'throttled' }, 'CREDENTIALS_UNAVAILABLE'],
      [{ kind: 'internal' }, 'CREDENTIALS_UNAVAILABLE'],
      [{ kind: 'unavailable' }, 'CREDENTIALS_UNAVAILABLE'],
      [{ kind: 'slow', until: new Promise(() => {}) }, 'CREDENTIALS_UNAVAILABLE'],
      [{ kind: 'cut' }, 'CREDENTIALS_UNAVAILABLE'],
      [{ kind: 'garbled', body: `{"SecretString":"${encodeURI(WRONG)}` }, 'CREDENTIALS_INVALID'],
      [{ kind: 'garbled', body: WRONG }, 'CREDENTIALS_INVALID'],
      [
        { kind: 'garbled', body: JSON.stringify({ SecretString: `{"pass":"${encodeURI(WRONG)}"}` }) },
        'CREDENTIALS_INVALID',
      ],
    ])('when it is %o', async (mishap, code) => {
      scene.collector.knows('a password', WRONG)
      manager.put(ARN, { username: plain.login.user, password: plain.login.password })
      manager.always(mishap)
      expect((await scene.failure(ofManager({ source }))).code).toBe(code)
    })

    it('when it is not there', async () => {
      const nowhere = ofManager({ source, versionStage: 'AWSNOWHERE' })
      expect((await scene.failure(nowhere)).code).toBe('CREDENTIALS_INVALID')
    })

    it('when nobody answers', async () => {
      const { port } = new URL(manager.endpoint)
      const env = { AWS_SESSION_TOKEN: EXTENSION_TOKEN, PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: '1' }
      const asker =
        source === 'extension'
          ? {}
          : { region: REGION, credentials: SIGNER, endpoint: manager.endpoint.replace(port, '1') }
      const credentials = secret(ARN, { source, limitMs: 300, ...asker }, { env })
      const error = await scene.failure({ ...placeOf(plain), credentials })
      expect(error.code).toBe('CREDENTIALS_UNAVAILABLE')
    })

    it('when the password in it is wrong, and the pending one too', async () => {
      scene.collector.knows('a password', WRONG)
      scene.collector.knows('the pending password', `pending ${WRONG}`)
      manager.put(ARN, { username: plain.login.user, password: WRONG })
      manager.createPending(ARN, { username: plain.login.user, password: `pending ${WRONG}` })
      expect((await scene.failure(ofManager({ source }))).code).toBe(codes.denied)
      expect(manager.stages.slice(-3)).toContain('AWSPENDING')
    })

    it('while a rotation has changed the password in the database only', async () => {
      scene.collector.knows('a password', WRONG)
      manager.put(ARN, { username: plain.login.user, password: WRONG })
      manager.createPending(ARN, { username: plain.login.user, password: plain.login.password })
      await scene.success(ofManager({ source }))
      expect(manager.stages).toContain('AWSPENDING')
    })
  })

  it.each<[string, () => unknown]>([
    ['a token', () => iamToken({ credentials: SIGNER, secretAccessKey: WRONG } as object)],
    ['a token, whose region is a password', () => iamToken({ region: { WRONG } } as object)],
    ['a token, whose signer is a password', () => iamToken({ credentials: WRONG } as object)],
    ['a secret', () => secret(ARN, { credentials: SIGNER, password: WRONG } as object)],
    ['a secret, whose properties are a password', () => secret(ARN, { properties: WRONG } as object)],
    [
      'a secret, whose property has a wrong kind',
      () => secret(ARN, { properties: { password: { WRONG } } } as object),
    ],
  ])('when the options are wrong of %s', (_what, make) => {
    scene.collector.knows('a password', WRONG)
    expect(scene.thrown(make).code).toBe('INVALID_OPTIONS')
  })
})

/** As the SDK's chain fails where there is no role. */
function missing(): Promise<never> {
  const error = new Error('Could not load credentials from any providers')
  return Promise.reject(Object.assign(error, { name: 'CredentialsProviderError' }))
}

/** As a parser fails, which quotes what it read. */
function unreadable(): Promise<never> {
  return Promise.reject(new SyntaxError(`Unexpected token in ${SIGNER.secretAccessKey}`))
}

/** As the credentials of our own sources do. */
function hidingPassword(user: string, password: string): Credential {
  return Object.defineProperty({ user } as Credential, 'password', { get: () => password, enumerable: false })
}
