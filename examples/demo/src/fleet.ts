// The two functions of the fleet, deployed for one engine and variant.
import { fileURLToPath } from 'node:url'

import { deployFunction, type LambdaFunction } from '@leasehold/lambda-emulator'
import type { DatabaseServer } from '@leasehold/test-databases'

import { FUNCTION_TIMEOUT_MS, type Variant } from './scenario.ts'

const LOG_LINES = 5

export interface Fleet {
  /** Takes the burst. */
  readonly first: LambdaFunction
  /** Needs the slots later. */
  readonly second: LambdaFunction
  dispose(): Promise<void>
}

/** `nodeArgs`: arguments for the Node.js of every environment. */
export function deployFleet(server: DatabaseServer, variant: Variant, nodeArgs: readonly string[]): Fleet {
  const deploy = (name: string): LambdaFunction =>
    deployFunction({
      name,
      taskRoot: fileURLToPath(new URL(`../functions/${server.engine}/`, import.meta.url)),
      handler: `${variant}.handler`,
      environment: databaseVariables(server),
      timeoutMs: FUNCTION_TIMEOUT_MS,
      initTimeoutMs: 30_000,
      nodeArgs,
    })
  const first = deploy('orders')
  const second = deploy('reports')
  return {
    first,
    second,
    dispose: async () => void (await Promise.all([first.dispose(), second.dispose()])),
  }
}

/** Starts environments. What one of them wrote stands in the error, for those whose Init fails. */
export async function startEnvironments(target: LambdaFunction, environmentCount: number): Promise<void> {
  try {
    await target.scaleTo(environmentCount)
  } catch (error) {
    const said = target.environments.find(({ log }) => log.length > 0)?.log.slice(0, LOG_LINES) ?? []
    const message = error instanceof Error ? error.message : String(error)
    throw new Error([`function ${target.name} does not start: ${message}`, ...said].join('\n'), {
      cause: error,
    })
  }
}

/** The environments that answered last go first: if any still holds a session, it is these. */
export function takeAway(
  target: LambdaFunction,
  environmentCount: number,
  lastUsed: readonly string[],
): void {
  const rank = new Map(lastUsed.map((id, index) => [id, index]))
  const candidates = target.environments
    .filter(({ state }) => state === 'frozen')
    .toSorted((a, b) => (rank.get(b.id) ?? -1) - (rank.get(a.id) ?? -1))
  for (const environment of candidates.slice(0, environmentCount)) environment.vanish()
}

/** One variable says it all, as on most platforms; both drivers take it. */
function databaseVariables({
  engine,
  host,
  port,
  database,
  login,
}: DatabaseServer): Record<'DATABASE_URL', string> {
  const scheme = engine === 'postgresql' ? 'postgresql' : 'mysql'
  const account = `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}`
  return { DATABASE_URL: `${scheme}://${account}@${host}:${port}/${database}` }
}
