// A function that has the database work for 20 ms, on a governed pool of one connection.
import { openPool, runOn, type Target } from '../../conformance/askers.ts'

const target = JSON.parse(process.env['FLEET_TARGET'] ?? '{}') as Target
const pool = openPool({ max: 1, ...target })
const work = target.engine === 'postgresql' ? 'select pg_sleep(0.02)' : 'select sleep(0.02)'

/** `stats` asks for the pool's counts; `leave` closes the connection after the work, as one that yields does. */
export interface Asked {
  readonly ask?: 'stats' | 'leave'
}

export async function handler({ ask }: Asked): Promise<unknown> {
  if (ask === 'stats') return pool.stats()
  await runOn(pool)(work)
  if (ask === 'leave') pool.drain()
  return undefined
}
