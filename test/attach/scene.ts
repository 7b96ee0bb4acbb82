// Deploys a function with attachment before it, or without, on a server whose network can fail.
import { fileURLToPath } from 'node:url'

import { deployFunction, type FunctionOptions, type LambdaFunction } from '@leasehold/lambda-emulator'
import { type DatabaseServer, type Relay, startRelay } from '@leasehold/test-databases'

import { LAMBDA_22 } from '../packed/runtimes.ts'
import type { Bundling, Format, Functions, Kind } from './functions.ts'

export const PRELOAD: string = fileURLToPath(
  new URL('../../packages/attach/dist/preload.mjs', import.meta.url),
)

export const NODE_NAMES = ['Node 24', "Lambda's Node 22"] as const
export type NodeName = (typeof NODE_NAMES)[number]

const NODES: Readonly<Record<NodeName, { readonly nodePath: string; readonly nodeArgs: readonly string[] }>> =
  {
    'Node 24': { nodePath: process.execPath, nodeArgs: [] },
    "Lambda's Node 22": { nodePath: LAMBDA_22.program, nodeArgs: LAMBDA_22.flags },
  }

/** A server, and the relay by which functions reach it. */
export interface Place extends AsyncDisposable {
  readonly server: DatabaseServer
  readonly relay: Relay
}

export async function startPlace(start: () => Promise<DatabaseServer>): Promise<Place> {
  const server = await start()
  const relay = await startRelay(server)
  const dispose = async (): Promise<void> => {
    await relay.close()
    await server.dispose()
  }
  return { server, relay, [Symbol.asyncDispose]: dispose }
}

export interface Cell {
  readonly kind: Kind
  readonly bundling: Bundling
  readonly format: Format
  readonly node: NodeName
}

export interface Deployed {
  readonly attached: boolean
  /** The function's variables. */
  readonly variables?: Readonly<Record<string, string>>
  /** Modules that are preloaded before attachment, and after it. */
  readonly before?: readonly string[]
  readonly after?: readonly string[]
  readonly lambda?: Partial<FunctionOptions>
}

/** Asked whenever it is used, so that no test has to wait for a connection to look doubtful. */
const ALWAYS_PING = { LEASEHOLD_PING_AFTER_IDLE_MS: '0', LEASEHOLD_CONNECT_TIMEOUT_MS: '2000' }

export function deploy(functions: Functions, place: Place, cell: Cell, deployed: Deployed): LambdaFunction {
  const { server, relay } = place
  const { nodePath, nodeArgs } = NODES[cell.node]
  const { attached, before = [], after = [], variables, lambda } = deployed
  const preloads = [...before, ...(attached ? [PRELOAD] : []), ...after]
  const target = { host: relay.host, port: relay.port, database: server.database, ...server.login }
  return deployFunction({
    name: 'attached',
    taskRoot: functions.folder,
    handler: `${functions.file(cell.kind, cell.bundling, cell.format)}.handler`,
    environment: { TARGET: JSON.stringify(target), ...ALWAYS_PING, ...variables },
    nodePath,
    nodeArgs: [...nodeArgs, ...preloads.flatMap((path) => ['--import', path])],
    timeoutMs: 15_000,
    initTimeoutMs: 60_000,
    ...lambda,
  })
}

async function endSessions({ server }: Place): Promise<void> {
  for (const { id } of await server.sessions()) await server.terminate(id)
}

/** What a connection meets while its environment is frozen. */
export const FAULTS: Readonly<Record<string, (place: Place) => Promise<void>>> = {
  'a server-side close': endSessions,
  'a reset': async ({ relay }) => relay.reset(),
  'a black hole': async (place) => {
    place.relay.blackhole()
    // Nobody hears of it; without, they would stay.
    await endSessions(place)
    place.relay.resume()
  },
}
