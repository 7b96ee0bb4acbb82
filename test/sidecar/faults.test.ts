// A sidecar that is off, dead, hung or without a shell: the function goes on.
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import type { LambdaFunction } from '@leasehold/lambda-emulator'
import { SIDECAR_EXECUTABLE, sidecarFiles } from '@leasehold/layer/sidecar'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { FakeCloudWatch } from '../aws/cloudwatch.ts'
import { FakeSecretsManager } from '../aws/secrets-manager.ts'
import { type Deployed, layOut, type Opt } from './opt.ts'

const SECRET = { username: 'app', password: 'p1' }

let opt: Opt
let manager: FakeSecretsManager
let cloud: FakeCloudWatch
const deployed: LambdaFunction[] = []

beforeAll(async () => {
  opt = await layOut()
})
afterAll(() => opt.remove())
beforeEach(async () => {
  manager = await FakeSecretsManager.start()
  cloud = await FakeCloudWatch.start()
  manager.put('shop', SECRET)
})
afterEach(async () => {
  await Promise.all(deployed.splice(0).map((lambda) => lambda.dispose()))
  await manager.stop()
  await cloud.stop()
})

async function deploy(more: Record<string, string> = {}): Promise<Deployed> {
  const one = await opt.deploy({
    AWS_ENDPOINT_URL_SECRETS_MANAGER: manager.endpoint,
    METRICS: JSON.stringify({ endpoint: cloud.endpoint, everyMs: 1_000 }),
    ...more,
  })
  deployed.push(one.lambda)
  return one
}

async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  await vi.waitUntil(isTrue, { timeout: 15_000, interval: 20 })
}

function signalAll(pids: readonly number[], signal: 'SIGKILL' | 'SIGSTOP'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It has just ended.
    }
  }
}

/** Kills the sidecar whenever it is there, until it does not come back. */
async function killForGood({ awake }: Deployed): Promise<void> {
  const killed = new Set<number>()
  await awake(async () => {
    while (killed.size < 3) {
      await eventually(async () => (await opt.sidecars()).some((pid) => !killed.has(pid)))
      const pids = await opt.sidecars()
      for (const pid of pids) killed.add(pid)
      signalAll(pids, 'SIGKILL')
    }
    await eventually(async () => (await opt.sidecars()).length === 0)
  })
}

describe('a sidecar that was not asked for', () => {
  it.each(['', 'off', 'maybe'])('(%s) is a shell that waits, and no process of Node.js', async (value) => {
    const { lambda } = await deploy({ LEASEHOLD_SIDECAR: value })
    expect((await lambda.invoke({}, { settle: true })).payload).toBe('done')
    expect(await opt.sidecars()).toEqual([])
    expect(lambda.environments[0]?.state).toBe('frozen')
    const said = lambda.environments[0]?.log.filter((line) => line.includes('leasehold'))
    expect(said).toHaveLength(value === 'maybe' ? 1 : 0)
  })

  it('does not stand in the way of the end', async () => {
    const { lambda } = await deploy({ LEASEHOLD_SIDECAR: 'off' })
    await lambda.invoke({}, { settle: true })
    await lambda.environments[0]?.reclaim()
    expect(lambda.environments[0]?.state).toBe('ended')
  })

  it('leaves secrets, tokens and metrics to the function', async () => {
    const { lambda } = await deploy({ LEASEHOLD_SIDECAR: 'off' })
    expect((await lambda.invoke({ secretId: 'shop' }, { settle: true })).payload).toMatchObject({
      password: 'p1',
    })
    expect((await lambda.invoke({ token: true }, { settle: true })).payload).toMatchObject({ user: 'app' })
    expect((await lambda.invoke({ measure: 1, flush: true }, { settle: true })).error).toBeUndefined()
    expect(cloud.sumOf('ConnectTime')).toBe(10)
    expect(manager.requests).toHaveLength(1)
  })
})

describe('a sidecar that is killed', () => {
  it('is started again, and the function did not notice', async () => {
    const { lambda, awake, get } = await deploy()
    await lambda.invoke({ secretId: 'shop' }, { settle: true })
    signalAll(await opt.sidecars(), 'SIGKILL')
    const asked = await lambda.invoke({ secretId: 'shop' }, { settle: true })
    expect([asked.coldStart, asked.payload]).toMatchObject([false, { password: 'p1' }])
    const answers = async (): Promise<boolean> => {
      const answer = await get('/secretsmanager/get?secretId=shop').catch(() => undefined)
      return answer?.status === 200
    }
    await awake(() => eventually(answers))
  })

  it('again and again leaves its work to the function, whose environment lives on', async () => {
    const one = await deploy()
    const { lambda } = one
    await lambda.invoke({}, { settle: true })
    await killForGood(one)
    const asked = await lambda.invoke({ secretId: 'shop' }, { settle: true })
    expect(asked.payload).toMatchObject({ password: 'p1' })
    expect(asked.coldStart).toBe(false)
    expect((await lambda.invoke({ token: true }, { settle: true })).payload).toMatchObject({ user: 'app' })
    for (let flush = 0; flush < 20 && cloud.requests.length === 0; flush += 1) {
      await lambda.invoke({ measure: 1, after: 250, flush: true }, { settle: true })
    }
    expect(cloud.sumOf('ConnectTime')).toBeGreaterThan(0)
    expect(lambda.environments).toHaveLength(1)
    const { killed } = (await lambda.environments[0]?.reclaim()) ?? {}
    expect(killed).toBe(false)
  })
})

describe('a sidecar that hangs', () => {
  it('costs a secret one second, once, and metrics nothing but time after the response', async () => {
    const { lambda } = await deploy()
    await lambda.invoke({}, { settle: true })
    // Not thawed with the environment: stopped again as soon as it is.
    const pids = await opt.sidecars()
    const stopped = setInterval(() => signalAll(pids, 'SIGSTOP'), 5)
    try {
      const first = await lambda.invoke({ secretId: 'shop' }, { settle: true })
      expect(first.payload).toMatchObject({ password: 'p1' })
      const { tookMs } = first.payload as { tookMs: number }
      expect(tookMs).toBeGreaterThan(900)
      const { payload } = await lambda.invoke({ measure: 1, flush: true }, { settle: true })
      expect(payload).toMatchObject({ problem: expect.stringContaining('sidecar does not answer') as string })
      expect(cloud.sumOf('ConnectTime')).toBe(10)
    } finally {
      clearInterval(stopped)
    }
  })
})

describe('a sidecar where another extension has its port', () => {
  it('says so, and serves what it can', async () => {
    const { createServer } = await import('node:http')
    const other = createServer((_request, response) => response.writeHead(404).end())
    await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const { lambda } = await deploy({ PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: `${port}` })
    expect((await lambda.invoke({ secretId: 'shop' })).payload).toMatchObject({ password: 'p1' })
    expect(lambda.environments[0]?.log.join('\n')).toContain('another extension has the port')
    other.close()
  })
})

describe('a sidecar whose port is none', () => {
  it('says so, serves what it can, and ends in time', async () => {
    const { lambda } = await deploy({ PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: 'none' })
    expect((await lambda.invoke({ secretId: 'shop' }, { settle: true })).payload).toMatchObject({
      password: 'p1',
    })
    await lambda.invoke({ measure: 1, flush: true }, { settle: true })
    expect((await lambda.environments[0]?.reclaim())?.killed).toBe(false)
    expect(lambda.environments[0]?.log.join('\n')).toContain('(ERR_SOCKET_BAD_PORT)')
    expect(cloud.sumOf('ConnectTime')).toBe(10)
  })
})

describe('a sidecar where there is no bash', () => {
  let folder: string
  beforeAll(async () => {
    // All of the path: Node.js, and the shell by its own.
    folder = join(opt.folder, 'bin')
    await (await import('node:fs/promises')).mkdir(folder)
    await symlink(process.execPath, join(folder, 'node'))
  })

  it('speaks with Lambda itself', async () => {
    const { lambda } = await deploy({ PATH: folder })
    expect(
      (
        await lambda.invoke(
          { threads: 4, secretId: 'shop', source: 'extension', limitMs: 30_000 },
          { settle: true },
        )
      ).error,
    ).toBeUndefined()
    expect(manager.requests).toHaveLength(1)
    await lambda.invoke({ measure: 1 }, { settle: true })
    for (let request = 0; cloud.requests.length === 0 && request < 300; request += 1) {
      await lambda.invoke({ after: 50 }, { settle: true })
    }
    await lambda.invoke({ measure: 1, after: 50 }, { settle: true })
    const { killed } = (await lambda.environments[0]?.reclaim()) ?? {}
    expect(killed).toBe(false)
    expect(cloud.sumOf('ConnectTime')).toBe(20)
  })

  it.each(['on', 'off'])('speaks with Lambda itself where bash opens no sockets: %s', async (sidecar) => {
    // To such a bash it is the name of a file.
    const launcher = join(opt.folder, 'without-sockets', SIDECAR_EXECUTABLE)
    for (const [path, bytes] of sidecarFiles()) {
      const copy = join(opt.folder, 'without-sockets', path)
      await mkdir(dirname(copy), { recursive: true })
      await writeFile(copy, Buffer.from(bytes).toString().replace('/dev/tcp/', '/dev/no-tcp/'))
    }
    await chmod(launcher, 0o755)
    const one = await opt.deploy(
      { AWS_ENDPOINT_URL_SECRETS_MANAGER: manager.endpoint, LEASEHOLD_SIDECAR: sidecar },
      { extensions: [launcher] },
    )
    deployed.push(one.lambda)
    const asked = await one.lambda.invoke({ secretId: 'shop' }, { settle: true })
    expect(asked.payload).toMatchObject({ password: 'p1' })
    await one.lambda.environments[0]?.reclaim()
    expect(one.lambda.environments[0]?.state).toBe('ended')
  })

  it('waits where it was not asked for', async () => {
    const { lambda } = await deploy({ PATH: folder, LEASEHOLD_SIDECAR: 'off' })
    expect((await lambda.invoke({}, { settle: true })).payload).toBe('done')
    expect(await opt.sidecars()).toHaveLength(1)
    expect(await readdir(opt.folder)).not.toContain('off.sock')
    expect(await readFile(`/proc/${(await opt.sidecars())[0] ?? 0}/cmdline`, 'utf8')).toContain('idle')
  })
})
