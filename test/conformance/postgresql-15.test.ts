import { startPostgres } from '@leasehold/test-databases'

import { postgresqlParts } from './postgresql.ts'
import { serverSubject } from './server-subject.ts'
import { whereInstalled } from './suite.ts'

await whereInstalled('PostgreSQL 15', () =>
  serverSubject(() => startPostgres({ major: 15, maxConnections: 15 }), postgresqlParts),
)
