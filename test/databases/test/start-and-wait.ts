// A process that starts a server and never ends it: guard.test.ts kills the process and looks for the server.
import { startMariadb, startPostgres } from '../src/index.ts'

const server = await (process.argv[2] === 'mariadb' ? startMariadb() : startPostgres())
process.on('message', () => process.exit())
process.send?.(server.port)
