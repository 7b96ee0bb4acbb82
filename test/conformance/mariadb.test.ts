import { startMariadb } from '@leasehold/test-databases'

import { mysqlParts } from './mysql.ts'
import { serverSubject } from './server-subject.ts'
import { conformance } from './suite.ts'

conformance('MariaDB', () => serverSubject(() => startMariadb({ maxConnections: 12 }), mysqlParts))
