// The newest driver and the oldest that the adapter says it governs, for what leans on their inner parts.
import { createRequire } from 'node:module'

import { govern, type GovernedModule, type MysqlModule } from '@leasehold/mysql-adapter'
import mysql2 from 'mysql2'

// Required, not imported, as users of CommonJS get it.
const require = createRequire(import.meta.url)

export const DRIVERS: readonly (readonly [string, GovernedModule<MysqlModule>])[] = [
  ['mysql2', govern(mysql2)],
  ['mysql2 3.12', govern(require('mysql2-3.12') as MysqlModule)],
]
