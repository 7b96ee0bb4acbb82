// The newest driver and the oldest that the adapter says it governs, for what leans on their inner parts.
import { createRequire } from 'node:module'

import { govern, type GovernedModule } from '@leasehold/pg-adapter'
import pg from 'pg'

// Required, not imported: the old `pg` under its other name has no types.
const require = createRequire(import.meta.url)

export const DRIVERS: readonly (readonly [string, GovernedModule<typeof pg>])[] = [
  ['pg', govern(pg)],
  ['pg 8.16', govern(require('pg-8.16') as typeof pg)],
]
