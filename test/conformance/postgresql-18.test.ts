import { startPostgres } from '@leasehold/test-databases'

import { postgresqlParts } from './postgresql.ts'
import { serverSubject } from './server-subject.ts'
import { conformance } from './suite.ts'

conformance('PostgreSQL 18', () =>
  serverSubject(() => startPostgres({ maxConnections: 15 }), postgresqlParts),
)
