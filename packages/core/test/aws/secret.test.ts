import { describe, expect, it, vi } from 'vitest'

import { secret } from '../../src/aws/index.ts'
import { rejectionOf } from '../scene.ts'
import { drive, ENV, request } from './scene.ts'
import { ARN, secretScenes } from './secret-scene.ts'

const scenes = secretScenes()

describe('a secret', () => {
  it("is read by the function's own credentials, in the region of its ARN", async () => {
    scenes.manager.put(ARN, { username: 'app', password: 'p1' })
    expect(await scenes.open().given()).toEqual(['app', 'p1'])
    const [asked] = scenes.manager.requests
    expect(asked).toMatchObject({ secretId: ARN, versionStage: 'AWSCURRENT' })
    expect(asked?.sessionToken).toBe(ENV.AWS_SESSION_TOKEN)
    expect(asked?.scope).toMatch(/^AKIDEXAMPLE\/\d{8}\/eu-central-1\/secretsmanager\/aws4_request$/)
  })

  it('with a name is read in the region of the environment, with an option in that of the option', async () => {
    scenes.manager.put('shop', 'p1')
    await scenes.open({}, 'shop').given()
    await scenes.open({ region: 'eu-north-1' }, 'shop').given()
    expect(scenes.manager.requests.map((asked) => asked.scope?.split('/')[2])).toEqual([
      'us-east-2',
      'eu-north-1',
    ])
  })

  it.each([
    [
      "RDS's shape",
      { username: 'app', password: 'p', host: 'db', port: '5432', dbname: 'shop' },
      ['app', 'p'],
    ],
    ['the shape of a password that RDS manages', { username: 'master', password: 'p' }, ['master', 'p']],
    ['a password alone', { password: 'p' }, [undefined, 'p']],
    ['plain text', 'p{lain', [undefined, 'p{lain']],
    ['plain text that looks like JSON', '12345', [undefined, '12345']],
    ['a list, which is taken as text', '["a"]', [undefined, '["a"]']],
  ])('in %s', async (_shape, value, expected) => {
    scenes.manager.put(ARN, value)
    expect(await scenes.open().given()).toEqual(expected)
  })

  it('in binary form', async () => {
    scenes.manager.put(ARN, { username: 'app', password: 'pä' }, true)
    expect(await scenes.open().given()).toEqual(['app', 'pä'])
  })

  it('with property names of its own', async () => {
    scenes.manager.put(ARN, { db_user: 'app', db_pass: 'p', where: 'db' })
    const { source, given } = scenes.open({
      properties: { user: 'db_user', password: 'db_pass', host: 'where' },
    })
    expect(await given()).toEqual(['app', 'p'])
    expect(await source.endpoint()).toEqual({ host: 'db', port: undefined, database: undefined })
  })

  it.each([
    ['5432', 5432],
    [3306, 3306],
    ['many', undefined],
    [70_000, undefined],
  ])('tells where its database is, with the port %j as %j', async (port, expected) => {
    scenes.manager.put(ARN, { username: 'app', password: 'p', host: 'db', port, dbname: 'shop' })
    const endpoint = await scenes.open().source.endpoint()
    expect(endpoint).toEqual({ host: 'db', port: expected, database: 'shop' })
  })

  it('of another stage is read where that is asked for, and no rotation is looked for', async () => {
    scenes.manager.put(ARN, 'p1')
    scenes.manager.put(ARN, 'p2')
    const { source, given } = scenes.open({ versionStage: 'AWSPREVIOUS' })
    expect(await given()).toEqual([undefined, 'p1'])
    expect(await source.get(request({ refusals: 1 }))).toBeUndefined()
    expect(scenes.manager.stages).toEqual(['AWSPREVIOUS', 'AWSPREVIOUS'])
  })

  it('is not clear text by itself: drivers hash it', () => {
    expect(scenes.open().source.isClearText).toBe(false)
  })
})

describe('a secret that cannot be read', () => {
  it.each([
    ['denied', 'AccessDeniedException', /`secretsmanager:GetSecretValue`/],
    ['undecryptable', 'DecryptionFailure', /`kms:Decrypt`/],
    ['deleted', 'InvalidRequestException', /scheduled for deletion/],
  ] as const)('because it is %s: says so at once, with the remedy', async (kind, name, remedy) => {
    scenes.manager.put(ARN, 'p1')
    scenes.manager.always({ kind })
    const { clock, source } = scenes.open()
    const error = await drive(clock, rejectionOf(source.get(request())))
    expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID', cause: { name } })
    expect(String(error)).toContain(ARN)
    expect(String(error)).toMatch(remedy)
    expect(scenes.manager.requestCount).toBe(1)
  })

  it('because it is not there', async () => {
    const { clock, source } = scenes.open()
    const error = await drive(clock, rejectionOf(source.get(request())))
    expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID', cause: { name: 'ResourceNotFoundException' } })
    expect(String(error)).toMatch(/check name, account, region and version stage/)
  })

  it('because nobody names its region says so', async () => {
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) vi.stubEnv(name, undefined)
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/nonexistent')
    try {
      const { clock, env, source } = scenes.open({}, 'shop')
      env['AWS_REGION'] = undefined
      const error = await drive(clock, rejectionOf(source.get(request())))
      expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID' })
      expect(String(error)).toMatch(/secret `shop` needs a region: set `region`, or AWS_REGION/)
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it.each(['throttled', 'internal', 'unavailable', 'cut'] as const)(
    'for a moment (%s) is asked for again, within the limit',
    async (kind) => {
      scenes.manager.put(ARN, 'p1')
      scenes.manager.next({ kind }, { kind })
      expect(await scenes.open().given()).toEqual([undefined, 'p1'])
      expect(scenes.manager.requestCount).toBe(3)
    },
  )

  it('for long is given up after five attempts, and the failure is not kept', async () => {
    scenes.manager.put(ARN, 'p1')
    scenes.manager.always({ kind: 'throttled' })
    const { clock, source, given } = scenes.open()
    const error = await drive(clock, rejectionOf(source.get(request())))
    expect(error).toMatchObject({ code: 'CREDENTIALS_UNAVAILABLE', cause: { name: 'ThrottlingException' } })
    expect(String(error)).toMatch(/5 attempts, last ThrottlingException.*NAT gateway or VPC endpoint/)
    scenes.manager.always(undefined)
    expect(await given()).toEqual([undefined, 'p1'])
  })

  it('because no answer comes is given up at the limit', async () => {
    scenes.manager.put(ARN, 'p1')
    scenes.manager.always({ kind: 'slow', until: new Promise(() => undefined) })
    const { clock, source } = scenes.open({ limitMs: 700 })
    const rejected = rejectionOf(source.get(request()))
    await scenes.manager.received(1)
    await clock.advance(700)
    const error = await rejected
    expect(error).toMatchObject({ code: 'CREDENTIALS_UNAVAILABLE' })
    expect(String(error)).toMatch(/no answer within 700 ms/)
    expect(clock.pendingCount).toBe(0)
  })

  it("rejects with the connect's own reason once that gives up", async () => {
    scenes.manager.put(ARN, 'p1')
    let release: () => void = () => undefined
    scenes.manager.next({ kind: 'slow', until: new Promise((resolve) => (release = resolve)) })
    const { source, given } = scenes.open()
    const impatient = new AbortController()
    const rejected = rejectionOf(source.get(request({ signal: impatient.signal })))
    await scenes.manager.received(1)
    const reason = new Error('no time left')
    impatient.abort(reason)
    expect(await rejected).toBe(reason)
    release()
    expect(await given()).toEqual([undefined, 'p1'])
    expect(scenes.manager.requestCount).toBe(1)
  })

  it.each([
    ['a password that is a number', { password: 5 }],
    ['another name for the password', { pass: 'p' }],
    ['an empty password', { username: 'a', password: '' }],
  ])('with %s says which property is missing', async (_what, value) => {
    scenes.manager.put(ARN, value)
    const { clock, source } = scenes.open()
    const error = await drive(clock, rejectionOf(source.get(request())))
    expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID' })
    expect(String(error)).toMatch(/no text in `password`.*`properties`/)
  })

  it('because of its options names every one of them', () => {
    expect(() => secret('', { ttl: 1, source: 'vault', limitMs: 0 } as never)).toThrow(
      [
        'invalid options of secret:',
        ' - the first argument must be an ARN or a name',
        ' - unknown option `ttl` (did you mean `ttlMs`?)',
        " - `source` must be 'secrets-manager' or 'extension' or 'sidecar'",
        ' - `limitMs` must be a whole number of milliseconds from 1 to 60000',
      ].join('\n'),
    )
    expect(() => secret('x', { properties: { pass: 'p' } } as never)).toThrow(/unknown option `pass`/)
  })
})

describe('the extension on localhost', () => {
  it("is asked with the function's session token", async () => {
    scenes.manager.put(ARN, { username: 'app', password: 'p1' })
    expect(await scenes.open({ source: 'extension' }).given()).toEqual(['app', 'p1'])
    expect(scenes.manager.requests).toEqual([
      { secretId: ARN, versionStage: 'AWSCURRENT', sessionToken: ENV.AWS_SESSION_TOKEN, scope: undefined },
    ])
  })

  it('is asked with the container token where SnapStart leaves no other', async () => {
    scenes.manager.put(ARN, 'p1')
    const { env, given } = scenes.open({ source: 'extension' })
    env['AWS_SESSION_TOKEN'] = undefined
    env['AWS_CONTAINER_AUTHORIZATION_TOKEN'] = 'container-token'
    await given()
    expect(scenes.manager.requests[0]?.sessionToken).toBe('container-token')
  })

  it('is asked to pass its own cache by after a refusal', async () => {
    scenes.manager.put(ARN, 'p1')
    const { source, given } = scenes.open({ source: 'extension' })
    await given()
    scenes.manager.put(ARN, 'p2')
    expect(await source.get(request({ refusals: 1 }))).toMatchObject({ password: 'p2' })
    expect(scenes.manager.requests.map((asked) => asked.scope)).toEqual([undefined, 'refreshNow'])
  })

  it('has its errors judged as those of Secrets Manager', async () => {
    const { clock, source } = scenes.open({ source: 'extension' })
    scenes.manager.next({ kind: 'internal' }, { kind: 'unavailable' })
    const error = await drive(clock, rejectionOf(source.get(request())))
    expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID', cause: { name: 'ResourceNotFoundException' } })
    expect(scenes.manager.requestCount).toBe(3)
  })

  it('that is not there is an error which names the layer', async () => {
    const { clock, env, source } = scenes.open({ source: 'extension' })
    env['PARAMETERS_SECRETS_EXTENSION_HTTP_PORT'] = '1'
    const error = await drive(clock, rejectionOf(source.get(request())))
    expect(error).toMatchObject({ code: 'CREDENTIALS_UNAVAILABLE' })
    expect(String(error)).toMatch(/ECONNREFUSED.*layer of the AWS Parameters and Secrets extension/)
  })
})
