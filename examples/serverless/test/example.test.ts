import { deployFunction, type LambdaFunction } from '@leasehold/lambda-emulator'
import { availability, type DatabaseServer } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const TABLES = [
  'create table payments (id varchar(20) primary key, account varchar(20) not null, cents int not null)',
  'create table accounts (id varchar(20) primary key, cents int not null)',
]

for (const { name, engine, available, remedy, start } of await availability()) {
  const isRequired = (process.env['LEASEHOLD_REQUIRE'] ?? '').split(',').includes(name)
  const title = available || isRequired ? name : `${name} (not on this machine: ${remedy})`

  describe.runIf(available || isRequired)(`the serverless example on ${title}`, () => {
    let server: DatabaseServer
    let lambda: LambdaFunction

    beforeAll(async () => {
      server = await start({ maxConnections: 12 })
      for (const table of TABLES) await server.admin(table)
      for (const table of ['payments', 'accounts']) {
        const place = engine === 'postgresql' ? table : `app.${table}`
        await server.admin(`grant select, insert, update on ${place} to ${server.login.user}`)
      }
      lambda = deployFunction({
        name: 'payments',
        taskRoot: new URL('..', import.meta.url).pathname,
        handler: 'index.handler',
        environment: {
          DB_HOST: server.host,
          DB_PORT: String(server.port),
          DB_USER: server.login.user,
          DB_PASSWORD: server.login.password,
        },
        nodeArgs: [
          '--conditions=@leasehold/source',
          ...(engine === 'postgresql' ? ['--conditions=postgresql'] : []),
        ],
      })
    })

    afterAll(async () => {
      await lambda.dispose()
      await server.dispose()
    })

    const pay = async (...payments: object[]): Promise<unknown> =>
      (await lambda.invoke({ payments }, { settle: true })).payload
    const first = { id: 'p1', account: 'ada', cents: 250 }
    const second = { id: 'p2', account: 'ada', cents: 100 }

    it('books payments, each once, on one session over several invocations', async () => {
      expect(await pay(first)).toEqual({ statusCode: 200, balances: { ada: 250 } })
      const [session] = await server.sessions()
      expect(await pay(second, first)).toEqual({ statusCode: 200, balances: { ada: 350 } })
      expect((await server.sessions()).map(({ id }) => id)).toEqual([session?.id])
    })

    it('answers when the server ended its session in the meantime', async () => {
      await pay(first)
      await server.restart()
      expect(await pay(second, { id: 'p3', account: 'bob', cents: 5 })).toEqual({
        statusCode: 200,
        balances: { ada: 350, bob: 5 },
      })
    })
  })
}
