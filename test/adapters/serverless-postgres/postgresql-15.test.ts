import { startPostgres } from '@leasehold/test-databases'

import { OURS } from './scene.ts'
import { weaknessesWhereInstalled } from './weaknesses.ts'

await weaknessesWhereInstalled('PostgreSQL 15', () => startPostgres({ major: 15, maxConnections: 15 }), OURS)
