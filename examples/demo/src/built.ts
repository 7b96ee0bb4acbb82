// The functions run on the packages as they were built: better to notice before the first run than after it.
import { createRequire } from 'node:module'

import type { Engine } from '@leasehold/test-databases'

import { poolName } from './scenario.ts'

const require = createRequire(import.meta.url)

/** Throws with the remedy if an adapter was not built. */
export function assertBuilt(engines: readonly Engine[]): void {
  for (const engine of engines) {
    const adapter = poolName(engine, 'governed')
    try {
      require.resolve(adapter)
    } catch (error) {
      throw new Error(`${adapter} is not built: run \`pnpm build\`, or use --source`, { cause: error })
    }
  }
}
