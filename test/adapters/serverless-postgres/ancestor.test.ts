// The ancestor itself, to show that the tests of its weaknesses can fail.
import { startPostgres } from '@leasehold/test-databases'
import Ancestor from 'serverless-postgres'

import type { Subject } from './scene.ts'
import { weaknesses } from './weaknesses.ts'

const ANCESTOR: Subject = {
  Client: Ancestor as unknown as Subject['Client'],
  has: [1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13],
  // 5 ends the process. 6 and 14 show only in what it does after errors that an ordinary login never sees.
  skipped: [5, 6, 14],
}

weaknesses('serverless-postgres 2.1.2', () => startPostgres({ maxConnections: 15 }), ANCESTOR)
