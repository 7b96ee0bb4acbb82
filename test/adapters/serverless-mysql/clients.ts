// One scenario on this package and on the one that it takes the place of: what was, and what is.
import serverlessMysql from '@leasehold/mysql-adapter/serverless-mysql'
import { type Relay, startRelay } from '@leasehold/test-databases'
import original from 'serverless-mysql'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../eventually.ts'
import { type MysqlUnderTest, onEveryServer } from '../mysql/server.ts'
import { quietLog } from '../quiet-log.ts'

export type Client = serverlessMysql.ServerlessMysql
export type Options = Omit<serverlessMysql.Config, 'config'>
export type Config = Exclude<serverlessMysql.Config['config'], string | undefined>

export interface Scene {
  readonly under: MysqlUnderTest
  /** Between the clients and the server. */
  readonly relay: Relay
  /** A client that connects through the relay. */
  make(options?: Options, config?: Config): Client
  /** What is in the table `marks`, in order. */
  marks(): Promise<unknown[]>
}

/** What a promise came to within a while: a client that hangs is `pending`. */
export type Fate = 'resolved' | 'rejected' | 'pending'

const PATIENCE_MS = 3_000

export function fateOf(work: Promise<unknown>, patienceMs: number = PATIENCE_MS): Promise<Fate> {
  const settled = work.then(
    (): Fate => 'resolved',
    (): Fate => 'rejected',
  )
  const patience = new Promise<Fate>((resolve) => {
    setTimeout(() => resolve('pending'), patienceMs).unref()
  })
  return Promise.race([settled, patience])
}

export type Scenario = (scene: Scene) => Promise<unknown>
type Weakness = readonly [
  name: string,
  scenario: Scenario,
  outcomes: { readonly was: unknown; readonly is: unknown },
]

interface Kind {
  readonly name: string
  make(options: Options, config: Config): Client
}

const OURS: Kind = {
  name: 'leasehold',
  make: (options, config) => serverlessMysql({ ...options, config: { logger: quietLog(), ...config } }),
}
const ORIGINAL: Kind = {
  name: 'serverless-mysql 2.1.0',
  make: (options, { resumeBudgetMs: _resume, pingAfterIdleMs: _ping, credentials: _source, ...config }) =>
    original({ ...(options as object), config: config as object }) as unknown as Client,
}

/** A database with tables on every server, and a relay in front of it. */
export function scenes(tests: (scene: (kind?: Kind) => Scene) => void): Promise<void> {
  return onEveryServer((under) => {
    const clients: Client[] = []
    let relay: Relay | undefined
    beforeAll(async () => {
      const { server } = under
      for (const name of ['app', 'tenant_b']) {
        await server.admin(`create database if not exists ${name}`)
        await server.admin(
          `create table ${name}.marks (mark varchar(20) primary key, seq int auto_increment unique)`,
        )
        await server.admin(`grant all on ${name}.* to ${server.login.user}`)
      }
      relay = await startRelay(server)
    })
    afterEach(async () => {
      relay?.resume()
      for (const client of clients.splice(0)) client.quit()
      await under.server.admin('delete from app.marks')
    })
    afterAll(() => relay?.close())

    tests((kind = OURS) => {
      if (relay === undefined) throw new Error('there is no relay before the tests')
      const through = relay
      return {
        under,
        relay: through,
        make: (options = {}, config = {}) => {
          const { host, port } = through
          const client = kind.make(options, { ...under.target, host, port, ...config })
          clients.push(client)
          return client
        },
        marks: async () => {
          const rows = await under.server.admin('select mark from app.marks order by seq')
          return rows.map(({ mark }) => mark)
        },
      }
    })
  })
}

/** Tells of each weakness what the original does, and that this package does not. */
export function weaknesses(list: readonly Weakness[]): Promise<void> {
  return scenes((scene) => {
    describe.each(list)('%s', (_name, scenario, { was, is }) => {
      it(`with ${OURS.name}: does not happen`, async () => expect(await scenario(scene(OURS))).toEqual(is))
      it(`with ${ORIGINAL.name}: happens`, async () => expect(await scenario(scene(ORIGINAL))).toEqual(was))
    })
  })
}

/** Ends the session of the client's connection, and waits until it has heard. */
export async function endSession({ under }: Scene, client: Client): Promise<void> {
  const connection = client.getClient() as unknown as { threadId: number; stream: { destroyed: boolean } }
  await under.server.terminate(connection.threadId)
  await eventually('the connection is closed', () => connection.stream.destroyed)
}
