// Secrets and tokens of the sidecar, under AWS's own runtime client: real processes, and a Secrets Manager that counts.
import { readFile, stat } from 'node:fs/promises'

import type { LambdaFunction } from '@leasehold/lambda-emulator'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { FakeSecretsManager } from '../aws/secrets-manager.ts'
import { type Deployed, layOut, type Opt, SESSION_TOKEN } from './opt.ts'

const PASSWORD = 'never-in-any-log'

let opt: Opt
let manager: FakeSecretsManager
const deployed: LambdaFunction[] = []

beforeAll(async () => {
  opt = await layOut()
})
afterAll(() => opt.remove())
beforeEach(async () => {
  manager = await FakeSecretsManager.start()
  manager.put('shop', { username: 'app', password: PASSWORD })
})
afterEach(async () => {
  await Promise.all(deployed.splice(0).map((lambda) => lambda.dispose()))
  await manager.stop()
})

async function deploy(more: Record<string, string> = {}): Promise<Deployed> {
  const one = await opt.deploy({ AWS_ENDPOINT_URL_SECRETS_MANAGER: manager.endpoint, ...more })
  deployed.push(one.lambda)
  return one
}

describe('secrets of the sidecar', () => {
  it('are read once for eight threads and the function itself', async () => {
    const { lambda } = await deploy()
    // As from AWS's extension, which is waited for however long it takes.
    const patient = { secretId: 'shop', source: 'extension', limitMs: 30_000 }
    const { payload, error } = await lambda.invoke({ threads: 8, ...patient }, { settle: true })
    expect(error).toBeUndefined()
    expect(payload).toEqual(Array.from({ length: 8 }, () => ({ user: 'app', password: PASSWORD })))
    expect((await lambda.invoke(patient)).payload).toMatchObject({ password: PASSWORD })
    expect(manager.requests).toHaveLength(1)
  })

  it('come in the shape that the Parameters and Secrets extension has', async () => {
    const { lambda, awake, get } = await deploy()
    await lambda.scaleTo(1)
    const { status, body } = await awake(() => get('/secretsmanager/get?secretId=shop'))
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({
      ARN: expect.stringMatching(/^arn:aws:secretsmanager:/) as string,
      Name: 'shop',
      SecretString: JSON.stringify({ username: 'app', password: PASSWORD }),
      VersionId: expect.any(String) as string,
      VersionStages: ['AWSCURRENT'],
    })
  })

  it('are given to nobody without the token of the session, and not on behalf of others', async () => {
    const { lambda, awake, get } = await deploy()
    await lambda.scaleTo(1)
    const path = '/secretsmanager/get?secretId=shop'
    const token = { 'x-aws-parameters-secrets-token': SESSION_TOKEN }
    const strangers: Record<string, string>[] = [
      {},
      { 'x-aws-parameters-secrets-token': '' },
      { 'x-aws-parameters-secrets-token': 'another' },
      { 'x-aws-parameters-secrets-token': `${SESSION_TOKEN}x` },
      { ...token, 'x-forwarded-for': '10.0.0.1' },
    ]
    const answers = await awake(() => Promise.all(strangers.map((headers) => get(path, headers))))
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 400])
    expect(JSON.stringify(answers)).not.toContain(PASSWORD)
    expect(manager.requests).toHaveLength(0)
  })

  it('are served on loopback alone, and the socket is open to its own user alone', async () => {
    const { lambda, port, socket } = await deploy()
    await lambda.scaleTo(1)
    expect(await listenersOn(Number(port))).toEqual(['0100007F'])
    expect((await stat(socket)).mode & 0o777).toBe(0o600)
  })

  it('that Secrets Manager refuses are refused in its own words, at once', async () => {
    const { lambda } = await deploy()
    const { error } = await lambda.invoke({ secretId: 'nobodys' })
    expect(error?.errorMessage).toContain('ResourceNotFoundException')
    expect(manager.requests).toHaveLength(1)
  })

  it('are read again when the server has refused one, once for all who ask', async () => {
    const { lambda, awake, get } = await deploy()
    await lambda.scaleTo(1)
    const path = '/secretsmanager/get?secretId=shop'
    await awake(async () => {
      expect((await get(path)).body).toContain(PASSWORD)
      manager.put('shop', { username: 'app', password: 'rotated' })
      expect((await get(path)).body).toContain(PASSWORD)
      await new Promise((resolve) => setTimeout(resolve, 600))
      const forced = await Promise.all(Array.from({ length: 8 }, () => get(`${path}&refreshNow=true`)))
      expect(forced.map(({ body }) => body.includes('rotated'))).toEqual(Array(8).fill(true))
    })
    // One for all of them, or a few on a machine where they don't arrive together.
    expect(manager.requests.length).toBeLessThan(6)
  })

  it('that were refused are not given again where reading them anew goes wrong', async () => {
    const { lambda, awake, get } = await deploy()
    await lambda.scaleTo(1)
    const path = '/secretsmanager/get?secretId=shop'
    await awake(async () => {
      expect((await get(path)).status).toBe(200)
      await new Promise((resolve) => setTimeout(resolve, 600))
      manager.next({ kind: 'garbled', body: '{' })
      // At 400 whoever asks takes it for an extension that does not know `refreshNow`, and leaves that out.
      const { status, body } = await get(`${path}&refreshNow=true`)
      expect([status, body.includes(PASSWORD)]).toEqual([424, false])
    })
  })

  it('and tokens stay out of logs and command lines', async () => {
    const { lambda } = await deploy()
    await lambda.invoke({ secretId: 'shop' }, { settle: true })
    const { payload } = await lambda.invoke({ token: true }, { settle: true })
    const { password: token } = payload as { password: string }
    const lines = await Promise.all(
      (await opt.sidecars()).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8')),
    )
    const seen = [...(lambda.environments[0]?.log ?? []), ...lines].join('\n')
    expect(lines).toHaveLength(1)
    for (const hidden of [PASSWORD, token, SESSION_TOKEN]) expect(seen).not.toContain(hidden)
  })
})

describe('tokens of the sidecar', () => {
  it('are signed once for all who ask, the function included', async () => {
    const { lambda, awake, get } = await deploy()
    await lambda.scaleTo(1)
    const path =
      '/leasehold/token?service=rds&host=db.abc.eu-west-1.rds.amazonaws.com&port=5432&region=eu-west-1&user=app'
    const answers = await awake(() => Promise.all(Array.from({ length: 8 }, () => get(path))))
    const [token] = answers.map(({ body }) => (JSON.parse(body) as { Token: string }).Token)
    expect(token).toContain('db.abc.eu-west-1.rds.amazonaws.com:5432/?Action=connect&DBUser=app')
    // A signature has the second it was made in.
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    const { payload } = await lambda.invoke({ threads: 2, token: true })
    const bodies = [...answers.map(({ body }) => body), JSON.stringify(payload)]
    expect(bodies.filter((body) => !body.includes(String(token)))).toEqual([])
  })

  it('are refused where it is not said for what', async () => {
    const { lambda, awake, get } = await deploy()
    await lambda.scaleTo(1)
    const { status } = await awake(() => get('/leasehold/token?service=rds&host=db'))
    expect(status).toBe(400)
  })
})

/** The addresses that somebody listens on, as the kernel writes them. */
async function listenersOn(port: number): Promise<string[]> {
  const LISTEN = '0A'
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8')))
  return tables.flatMap((table) =>
    table.split('\n').flatMap((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/)
      const [address = '', hexPort = ''] = local.split(':')
      return state === LISTEN && Number.parseInt(hexPort, 16) === port ? [address] : []
    }),
  )
}
