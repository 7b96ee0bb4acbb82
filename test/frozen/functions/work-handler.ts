// A function that has the database work for 20 ms, on a governed pool of one connection.
import { openPool, runOn, type Target } from '../../conformance/askers.ts'

const target = JSON.parse(process.env['FLEET_TARGET'] ?? '{}') as Target
const pool = openPool({ max: 1, ...target })
const work = target.engine === 'postgresql' ? 'select pg_sleep(0.02)' : 'select sleep(0.02)'

export async function handler({ ask }: { readonly ask?: 'stats' }): Promise<unknown> {
  if (ask === 'stats') return pool.stats()
  await runOn(pool)(work)
  return undefined
}
