/** What the layer does to a cold start, measured side by side: each start is a new environment, by turns, in one run. */

import { cp } from 'node:fs/promises'
import { join } from 'node:path'

import { type DatabaseServer, startMariadb, startPostgres } from '../databases/src/index.ts'
import { deployFunction, type LambdaFunction } from '../lambda/src/index.ts'
import type { UnpackedLayer } from './unpacked-layer.ts'

export const WAYS = [
  'no layer',
  'layer, attached',
  'library in the function',
  'library in the layer',
] as const
export type Way = (typeof WAYS)[number]

export interface ColdStart {
  /** From the start of the processes to the runtime's first question. */
  readonly initMs: number
  /** The runtime process's processor time until its first invocation. */
  readonly processorMs: number
  /** The first invocation: a connect and a statement. */
  readonly firstMs: number
}

export interface ColdStartFigures {
  readonly driver: string
  readonly starts: Readonly<Record<Way, readonly ColdStart[]>>
}

const POOLS = {
  pg: {
    bare: `import driver from 'pg'
      const pool = new driver.Pool({ ...login, max: 1 })
      pool.on('error', () => {})`,
    governed: (from: string): string => `import { lambdaExtension } from '${from}core/lambda'
      import { createPool } from '${from}pg-adapter'
      await lambdaExtension()
      const pool = createPool({ ...login, max: 1 })`,
    ask: "pool.query('select 1')",
  },
  mysql2: {
    bare: `import driver from 'mysql2'
      const pool = driver.createPool({ ...login, connectionLimit: 1 })`,
    governed: (from: string): string => `import { lambdaExtension } from '${from}core/lambda'
      import { createPool } from '${from}mysql-adapter'
      await lambdaExtension()
      const pool = createPool({ ...login, connectionLimit: 1 })`,
    ask: "pool.promise().query('select 1')",
  },
} as const
type Driver = keyof typeof POOLS

const handler = (open: string, ask: string): string => `
  const login = JSON.parse(process.env.LOGIN)
  ${open}
  export const handler = async () => {
    const { user, system } = process.cpuUsage()
    await ${ask}
    return { processorMs: (user + system) / 1_000 }
  }
`
/** The files of the layer by their paths, as an ES module has to import them. */
const byPath = (text: string): string =>
  text
    .replaceAll("core/lambda'", "core/dist/lambda/index.js'")
    .replaceAll(/(?<adapter>pg|mysql)-adapter'/gu, "$<adapter>-adapter/dist/index.js'")

/** @param rounds cold starts of each kind */
export async function measureColdStarts(
  layer: UnpackedLayer,
  drivers: readonly Driver[],
  ways: readonly Way[],
  rounds: number,
): Promise<readonly ColdStartFigures[]> {
  const empty = await layer.folder('opt-empty')
  const figures: ColdStartFigures[] = []
  for (const driver of drivers) {
    const { bare, governed, ask } = POOLS[driver]
    const task = await layer.folder(`cold-${driver}`, {
      'bare.mjs': handler(bare, ask),
      'library.mjs': handler(governed('@leasehold/'), ask),
      'from-layer.mjs': handler(byPath(governed('/opt/nodejs/node_modules/@leasehold/')), ask),
    })
    await cp(join(layer.opt, 'nodejs/node_modules'), join(task, 'node_modules'), { recursive: true })
    const server = await (driver === 'pg' ? startPostgres() : startMariadb())
    const deploy = (file: string, opt: string, environment = {}): LambdaFunction =>
      deployFunction({
        name: 'cold',
        taskRoot: task,
        handler: `${file}.handler`,
        // Something is mounted for each of them, since mounting takes time.
        opt,
        environment: { LOGIN: loginOf(server), ...environment },
        timeoutMs: 20_000,
      })
    const functions: Readonly<Record<Way, LambdaFunction>> = {
      'no layer': deploy('bare', empty),
      'layer, attached': deploy('bare', layer.opt, { AWS_LAMBDA_EXEC_WRAPPER: '/opt/leasehold' }),
      'library in the function': deploy('library', empty),
      'library in the layer': deploy('from-layer', layer.opt),
    }
    const starts: Record<Way, ColdStart[]> = {
      'no layer': [],
      'layer, attached': [],
      'library in the function': [],
      'library in the layer': [],
    }
    // The first of each fills the machine's caches.
    for (let round = -1; round < rounds; round += 1) {
      for (const way of ways) {
        const start = await startOne(functions[way])
        if (round >= 0) starts[way].push(start)
      }
    }
    for (const lambda of Object.values(functions)) await lambda.dispose()
    await server.dispose()
    figures.push({ driver, starts })
  }
  return figures
}

function loginOf({ host, port, database, login }: DatabaseServer): string {
  return JSON.stringify({ host, port, database, ...login })
}

async function startOne(lambda: LambdaFunction): Promise<ColdStart> {
  const { payload, error, queuedMs, latencyMs } = await lambda.invoke({}, { settle: true })
  if (error !== undefined) throw new Error(`${error.errorType}: ${error.errorMessage}`)
  await lambda.environments.at(-1)?.reclaim()
  const { processorMs } = payload as { processorMs: number }
  return { initMs: queuedMs, processorMs, firstMs: latencyMs }
}
