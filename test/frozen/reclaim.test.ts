// Environments are reclaimed: what is left of their sessions on the server, with the extension and without.
import type { LambdaFunction } from '@leasehold/lambda-emulator'
import { type DatabaseServer, startMariadb, startMysql, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually, pause } from '../conformance/subject.ts'
import { deployExtended } from './extended.ts'

const COUNT = 20
/** What a server may need to see that a socket is gone. */
const SEEN_MS = 1_000

type Start = (options?: { readonly maxConnections?: number }) => Promise<DatabaseServer>
const SERVERS: Readonly<Record<string, Start>> = {
  PostgreSQL: startPostgres,
  MariaDB: startMariadb,
  MySQL: startMysql,
}

/** One session in each of so many frozen environments. */
async function freezeAll(lambda: LambdaFunction, server: DatabaseServer, count = COUNT): Promise<void> {
  await lambda.scaleTo(count)
  await Promise.all(Array.from({ length: count }, () => lambda.invoke({}, { settle: true })))
  await lambda.settled()
  expect(await server.sessions()).toHaveLength(count)
}

describe.each(Object.entries(SERVERS))('environments that are reclaimed, on %s', (_, start) => {
  let server: DatabaseServer

  beforeAll(async () => {
    server = await start({ maxConnections: 60 })
  })
  afterAll(async () => {
    await server.dispose()
  })

  it.each([{}, { afterResponse: true }])('take all of their sessions along, with %j', async (extension) => {
    await using lambda = deployExtended(server, { extension })
    await freezeAll(lambda, server)
    const reclaimed = await Promise.all(lambda.environments.map((environment) => environment.reclaim()))
    expect(reclaimed.filter(({ killed }) => killed)).toEqual([])
    await eventually('no session left', async () => (await server.sessions()).length === 0, SEEN_MS)
  })

  it('let the application say its own goodbye first, on a statement and by ending its pool', async () => {
    await server.admin('create table goodbyes (id integer)')
    if (server.engine === 'postgresql') await server.admin('grant all on goodbyes to public')
    await using lambda = deployExtended(server, {
      extension: {},
      variables: { GOODBYE: 'insert into goodbyes values (1)' },
    })
    await freezeAll(lambda, server, 4)
    const reclaimed = await Promise.all(lambda.environments.map((environment) => environment.reclaim()))
    expect(reclaimed.filter(({ killed }) => killed)).toEqual([])
    expect(await server.admin('select id from goodbyes')).toHaveLength(4)
    await eventually('no session left', async () => (await server.sessions()).length === 0, SEEN_MS)
  })

  it('leave all of them behind with the bare pool', async () => {
    await using lambda = deployExtended(server, { pool: { bare: true } })
    await freezeAll(lambda, server)
    await Promise.all(lambda.environments.map((environment) => environment.reclaim()))
    await pause(SEEN_MS)
    expect(await server.sessions()).toHaveLength(COUNT)
  })

  it('end a statement that ran into the timeout of the function, and its session', async () => {
    await using lambda = deployExtended(server, { extension: {}, lambda: { timeoutMs: 1_500 } })
    await lambda.invoke({}, { settle: true })
    expect((await lambda.invoke({ ask: 'busy' }, { settle: true })).timedOut).toBe(true)
    await eventually('no session left', async () => (await server.sessions()).length === 0, SEEN_MS)
  })

  it('leave nothing after an uncaught error', async () => {
    await using lambda = deployExtended(server, { extension: {} })
    const { error } = await lambda.invoke({ ask: 'crash' }, { settle: true })
    expect(error?.errorType).toBe('Runtime.ExitError')
    await eventually('no session left', async () => (await server.sessions()).length === 0, SEEN_MS)
  })
})
