import { startPostgres } from '@leasehold/test-databases'

import { OURS } from './scene.ts'
import { weaknesses } from './weaknesses.ts'

weaknesses('ServerlessClient on PostgreSQL 18', () => startPostgres({ maxConnections: 15 }), OURS)
