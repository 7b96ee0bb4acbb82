// Provisioned concurrency: Init long before the first request, and what was opened in it is long gone.
import { type DatabaseServer, startMariadb, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../conformance/subject.ts'
import { deployExtended } from './extended.ts'

const SERVERS = { PostgreSQL: startPostgres, MariaDB: startMariadb }

describe.each(Object.entries(SERVERS))(
  'an environment of provisioned concurrency, on %s',
  (_, startServer) => {
    let server: DatabaseServer

    beforeAll(async () => {
      server = await startServer()
    })
    afterAll(async () => {
      await server.dispose()
    })

    it('answers its first request, though the session that Init opened has lapsed meanwhile', async () => {
      await using lambda = deployExtended(server, {
        extension: {},
        pool: { minLeaseMs: 1_000, maxLeaseMs: 1_000 },
        variables: { AWS_LAMBDA_INITIALIZATION_TYPE: 'provisioned-concurrency', OPEN_IN_INIT: 'yes' },
      })
      await lambda.scaleTo(2)
      expect(lambda.environments.map(({ state }) => state)).toEqual(['frozen', 'frozen'])
      expect(await server.sessions()).toHaveLength(2)
      // Nobody runs, so it is the server that ends them.
      await eventually('both sessions have lapsed', async () => (await server.sessions()).length === 0)
      const { payload, error, coldStart } = await lambda.invoke({ ask: 'stats' }, { settle: true })
      expect({ error, coldStart }).toEqual({ error: undefined, coldStart: false })
      expect(payload).toMatchObject({ opened: 1, reclaimed: 0 })
      expect((await lambda.invoke({}, { settle: true })).error).toBeUndefined()
      expect(await lambda.environments[1]?.reclaim()).toMatchObject({ killed: false })
    })
  },
)
