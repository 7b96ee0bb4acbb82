// A process that starts a server and never ends it: guard.test.ts kills the process and looks for the server.
import { createAuthority, startMariadb, startPostgres } from '../src/index.ts'
import type { DatabaseServer } from '../src/index.ts'

const server = await startKind(process.argv[2])
process.on('message', () => process.exit())
process.send?.(server.port)

async function startKind(kind: string | undefined): Promise<DatabaseServer> {
  if (kind === 'mariadb') return startMariadb()
  if (kind !== 'postgresql with PAM') return startPostgres()
  const { issue } = await createAuthority()
  return startPostgres({
    major: 15,
    tls: await issue(),
    iam: { region: 'eu-west-1', credentials: [] },
  })
}
