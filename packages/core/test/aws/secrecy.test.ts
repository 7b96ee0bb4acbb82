import { inspect } from 'node:util'

import { describe, expect, it } from 'vitest'

import { iamToken } from '../../src/aws/index.ts'
import { rejectionOf } from '../scene.ts'
import { drive, ENV, request, setAwsScene } from './scene.ts'
import { ARN, secretScenes } from './secret-scene.ts'

const scenes = secretScenes()

const SECRETS = [ENV.AWS_SECRET_ACCESS_KEY, ENV.AWS_SESSION_TOKEN, 'hunter2', 'X-Amz-Signature']

/** Everything that a careless line of code could print of `value`. */
function printed(value: unknown): string {
  const hidden = inspect(value, { depth: 20, showHidden: true, getters: true })
  return [inspect(value), inspect(value, { depth: 20 }), hidden, JSON.stringify(value), String(value)].join(
    '\n',
  )
}

function expectNoSecret(value: unknown): void {
  const text = printed(value)
  for (const secretText of SECRETS) expect(text).not.toContain(secretText)
}

describe('nothing secret is printed', () => {
  it('of a source of tokens, nor of its token unless asked by name', async () => {
    const source = iamToken({}, setAwsScene())
    const credential = await source.get(request())
    expectNoSecret(source)
    expect(inspect(credential)).toBe("{ user: 'app' }")
    expect(JSON.stringify(credential)).toBe('{"user":"app"}')
    expect({ ...credential }).not.toHaveProperty('password')
  })

  it('of a source of tokens with credentials of its own', async () => {
    const credentials = { accessKeyId: 'AKID', secretAccessKey: ENV.AWS_SECRET_ACCESS_KEY }
    const source = iamToken({ credentials }, setAwsScene())
    await source.get(request())
    expectNoSecret(source)
  })

  it('of a source of secrets', async () => {
    scenes.manager.put(ARN, { username: 'app', password: 'hunter2' })
    const { source, given } = scenes.open()
    await given()
    expectNoSecret(source)
    expectNoSecret(await source.endpoint())
  })

  it.each([
    { kind: 'denied' },
    { kind: 'undecryptable' },
    { kind: 'throttled' },
    { kind: 'internal' },
    { kind: 'cut' },
    { kind: 'garbled', body: '{"SecretString":"hunter2' },
    { kind: 'garbled', body: 'hunter2' },
    { kind: 'garbled', body: '' },
    { kind: 'garbled', body: '{}' },
    { kind: 'garbled', body: '{"SecretString":"{\\"pass\\":\\"hunter2\\"}"}' },
  ] as const)('of an error after %o, its cause and hidden members included', async (mishap) => {
    scenes.manager.put(ARN, 'hunter2')
    scenes.manager.always(mishap)
    for (const source of ['secrets-manager', 'extension'] as const) {
      const scene = scenes.open({ source })
      const error = await drive(scene.clock, rejectionOf(scene.source.get(request())))
      expect(error).toHaveProperty('code')
      expectNoSecret(error)
      expectNoSecret(scene.source)
    }
  })

  it('of an error of the signing', async () => {
    const provide = (): Promise<never> =>
      Promise.reject(new SyntaxError(`Unexpected token in ${ENV.AWS_SECRET_ACCESS_KEY}`))
    const error = await rejectionOf(iamToken({ credentials: provide }, setAwsScene()).get(request()))
    expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID' })
    expectNoSecret(error)
  })
})
