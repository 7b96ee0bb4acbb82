// Load time and first request of a fresh process, bare driver and adapter by turns, on the built packages.
import { runFresh } from './fresh-process.ts'
import { median, short } from './statistics.ts'
import { ENGINES, type Target, targetOf, type Variant, VARIANTS } from './targets.ts'

const ROUNDS = 21

const SCRIPTS: Record<Target['engine'], Record<Variant, string>> = {
  postgresql: {
    bare: script('pg', 'new m.default.Pool({ ...login, max: 1 })', "pool.query('select 1')"),
    governed: script('@leasehold/pg-adapter', 'm.createPool({ ...login, max: 1 })', "pool.query('select 1')"),
  },
  mysql: {
    bare: script(
      'mysql2',
      'm.default.createPool({ ...login, connectionLimit: 1 })',
      "pool.promise().query('select 1')",
    ),
    governed: script(
      '@leasehold/mysql-adapter',
      'm.createPool({ ...login, connectionLimit: 1 })',
      "pool.promise().query('select 1')",
    ),
  },
}

function script(module: string, open: string, query: string): string {
  return `const { engine, ...login } = JSON.parse(process.env.BENCH_INPUT)
const start = performance.now()
const m = await import('${module}')
const loaded = performance.now()
const pool = ${open}
await ${query}
console.log(JSON.stringify([loaded - start, performance.now() - loaded]))
process.exit(0)`
}

export interface LoadFigures {
  readonly engine: string
  readonly loadMs: Record<Variant, number>
  readonly firstRequestMs: Record<Variant, number>
}

export async function measureLoad(): Promise<readonly LoadFigures[]> {
  const figures: LoadFigures[] = []
  for (const { name, start } of ENGINES) {
    const server = await start()
    const target = targetOf(server)
    const load: Record<Variant, number[]> = { bare: [], governed: [] }
    const first: Record<Variant, number[]> = { bare: [], governed: [] }
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const variant of VARIANTS) {
        const [loadMs = 0, firstMs = 0] = await runFresh(SCRIPTS[target.engine][variant], target)
        load[variant].push(loadMs)
        first[variant].push(firstMs)
      }
    }
    figures.push({
      engine: name,
      loadMs: { bare: median(load.bare), governed: median(load.governed) },
      firstRequestMs: { bare: median(first.bare), governed: median(first.governed) },
    })
    await server.dispose()
  }
  return figures
}

export function loadTable(figures: readonly LoadFigures[]): string {
  const rows = figures.map(
    ({ engine, loadMs, firstRequestMs: first }) =>
      `| ${engine} | ${short(loadMs.bare)} | ${short(loadMs.governed)} | ${short(first.bare)} | ${short(first.governed)} |`,
  )
  return [
    '| driver | load ms, bare | load ms, governed | first request ms, bare | first request ms, governed |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}
