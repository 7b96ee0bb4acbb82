import { startMysql } from '@leasehold/test-databases'

import { mysqlParts } from './mysql.ts'
import { serverSubject } from './server-subject.ts'
import { whereInstalled } from './suite.ts'

await whereInstalled('MySQL', () => serverSubject(() => startMysql({ maxConnections: 12 }), mysqlParts))
