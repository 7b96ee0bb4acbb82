import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { afterEach, describe, expect, it } from 'vitest'

import { secret, type SecretSource } from '../../src/aws/index.ts'
import { rejectionOf } from '../scene.ts'
import { type AwsScene, drive, request, setAwsScene } from './scene.ts'

type Answer = readonly [status: number, body: string]

const SECRET: Answer = [200, JSON.stringify({ SecretString: 'p1' })]

const running: Server[] = []
afterEach(() => {
  for (const server of running.splice(0)) server.close().closeAllConnections()
})

interface Extension extends AwsScene {
  readonly source: SecretSource
  readonly requests: IncomingMessage[]
}

/** What listens on the extension's port, and answers by what it is asked. */
async function extension(answer: (asked: URL, count: number) => Answer): Promise<Extension> {
  const requests: IncomingMessage[] = []
  const server = createServer((asked, response) => {
    requests.push(asked)
    const [status, body] = answer(new URL(asked.url ?? '/', 'http://localhost'), requests.length)
    response.writeHead(status).end(body)
  })
  running.push(server)
  await new Promise<void>((resolve) => void server.listen(0, 'localhost', resolve))
  const scene = setAwsScene()
  scene.env['PARAMETERS_SECRETS_EXTENSION_HTTP_PORT'] = `${(server.address() as AddressInfo).port}`
  return { ...scene, requests, source: secret('shop', { source: 'extension' }, scene) }
}

describe('the extension', () => {
  it('is asked by name and stage, with its token in a header and nowhere else', async () => {
    const { clock, env, requests, source } = await extension(() => SECRET)
    await drive(clock, source.get(request()))
    const [asked] = requests
    expect(asked?.url).toBe('/secretsmanager/get?secretId=shop&versionStage=AWSCURRENT')
    expect(asked?.headers['x-aws-parameters-secrets-token']).toBe(env['AWS_SESSION_TOKEN'])
  })

  it('is waited for while it is not ready yet', async () => {
    const notReady: Answer = [400, 'not ready to serve traffic, please wait']
    const { clock, requests, source } = await extension((_asked, count) => (count < 3 ? notReady : SECRET))
    expect(await drive(clock, source.get(request()))).toMatchObject({ password: 'p1' })
    expect(requests).toHaveLength(3)
  })

  it('that does not know how to pass its cache by is asked without, and not again', async () => {
    const { clock, requests, source } = await extension((asked) =>
      asked.searchParams.has('refreshNow') ? [400, 'unsupported parameter'] : SECRET,
    )
    const given = await drive(clock, source.get(request()))
    const refused = given === undefined ? [] : [given]
    expect(await drive(clock, source.get(request({ refusals: 1, refused })))).toBeUndefined()
    const withRefresh = requests.filter(({ url }) => url?.includes('refreshNow'))
    expect(withRefresh).toHaveLength(1)
    expect(requests.length).toBeGreaterThan(3)
  })

  it.each([
    ['its token is refused', 403, 'Invalid token', 'CREDENTIALS_INVALID', 1],
    ['it is throttled', 429, 'Too Many Requests', 'CREDENTIALS_UNAVAILABLE', 5],
    ['Secrets Manager refuses', 400, 'AccessDeniedException: no', 'CREDENTIALS_INVALID', 1],
  ])('says so where %s', async (_what, status, body, code, count) => {
    const { clock, requests, source } = await extension(() => [status, body])
    const error = await drive(clock, rejectionOf(source.get(request())))
    expect(error).toMatchObject({ code })
    expect(requests).toHaveLength(count)
  })

  it('whose answer is too long is not read to its end', async () => {
    const { clock, source } = await extension(() => [200, 'x'.repeat(600 * 1024)])
    const error = await drive(clock, rejectionOf(source.get(request())))
    expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID' })
  })
})
