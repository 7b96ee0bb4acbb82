// The sidecar laid out as the layer has it, and what of it runs on this machine.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { deployFunction, type FunctionOptions, type LambdaFunction } from '@leasehold/lambda-emulator'
import { SIDECAR_EXECUTABLE, sidecarFiles } from '@leasehold/layer/sidecar'

/** Where this workspace has the SDK that Lambda's runtime brings. */
const SDK: string = fileURLToPath(new URL('../../packages/core/node_modules', import.meta.url))

/** What the emulator sets, as Lambda sets its own. */
export const SESSION_TOKEN = 'emulated-session-token'

export interface Deployed {
  readonly lambda: LambdaFunction
  /** Where the sidecar answers. */
  readonly port: string
  /** And where it listens for metrics and places. */
  readonly socket: string
  /** Runs `work` while the environment is awake. */
  awake<T>(work: () => Promise<T>): Promise<T>
  /** Asks the sidecar from here, as any process of the environment may. */
  get(path: string, headers?: Record<string, string>): Promise<{ status: number; body: string }>
}

export interface Opt {
  /** Where the layer is unpacked. */
  readonly folder: string
  /** A function with the sidecar, which shares socket and port with no other. For one environment. */
  deploy(environment?: Record<string, string>, options?: Partial<FunctionOptions>): Promise<Deployed>
  /** The sidecar's own processes, launchers not included. */
  sidecars(): Promise<number[]>
  remove(): Promise<void>
}

export async function layOut(): Promise<Opt> {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-opt-'))
  for (const [path, bytes] of sidecarFiles()) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), bytes)
  }
  const executable = join(folder, SIDECAR_EXECUTABLE)
  await chmod(executable, 0o755)
  let count = 0
  return {
    folder,
    deploy: async (environment = {}, options = {}) => {
      count += 1
      const port = await freePort()
      const socket = join(folder, `${count}.sock`)
      const lambda = deployFunction({
        name: 'shop',
        taskRoot: import.meta.dirname,
        handler: 'functions/asks.handler',
        environment: {
          LEASEHOLD_SIDECAR: 'on',
          LEASEHOLD_SIDECAR_SOCKET: socket,
          PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: port,
          NODE_PATH: SDK,
          ...environment,
        },
        extensions: [executable],
        nodeArgs: ['--conditions=@leasehold/source'],
        timeoutMs: 50_000,
        initTimeoutMs: 50_000,
        ...options,
      })
      const get: Deployed['get'] = async (path, headers) => {
        const response = await fetch(`http://127.0.0.1:${port}${path}`, {
          headers: headers ?? { 'x-aws-parameters-secrets-token': SESSION_TOKEN },
        })
        return { status: response.status, body: await response.text() }
      }
      const awake: Deployed['awake'] = async (work) => {
        count += 1
        const until = join(folder, `${count}.over`)
        const invoked = lambda.invoke({ until }, { settle: true })
        try {
          return await work()
        } finally {
          await writeFile(until, '')
          await invoked
        }
      }
      return { lambda, port, socket, awake, get }
    },
    sidecars: () => processesWith(`${folder}/extensions/../`),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

export async function freePort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `${port}`
}

/** Those of Node.js whose command line has `text` in it. */
async function processesWith(text: string): Promise<number[]> {
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(text) && /(?:^|\/)node\0/.test(line)) found.push(Number(name))
  }
  return found
}
