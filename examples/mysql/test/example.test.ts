import { deployFunction, type LambdaFunction } from '@leasehold/lambda-emulator'
import { type DatabaseServer, startMariadb } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

describe('the MariaDB example, in a frozen environment', () => {
  let server: DatabaseServer
  let lambda: LambdaFunction

  beforeAll(async () => {
    server = await startMariadb({ maxConnections: 12 })
    await server.admin('create table orders (id int primary key, state varchar(20))')
    await server.admin("insert into orders values (1, 'paid')")
    await server.admin(`grant select on app.orders to ${server.login.user}`)
    lambda = deployFunction({
      name: 'orders',
      taskRoot: new URL('..', import.meta.url).pathname,
      handler: 'index.handler',
      environment: {
        DB_HOST: server.host,
        DB_PORT: String(server.port),
        DB_USER: server.login.user,
        DB_PASSWORD: server.login.password,
      },
      nodeArgs: ['--conditions=@leasehold/source'],
    })
  })

  afterAll(async () => {
    await lambda.dispose()
    await server.dispose()
  })

  const ask = async (id: number): Promise<unknown> => (await lambda.invoke({ id }, { settle: true })).payload

  it('answers, and answers again on the same session after a freeze', async () => {
    expect(await ask(1)).toEqual({ id: 1, state: 'paid' })
    const [session] = await server.sessions()
    expect(await ask(2)).toEqual({ statusCode: 404 })
    expect((await server.sessions()).map(({ id }) => id)).toEqual([session?.id])
  })

  it('answers when the server ended its session in the meantime', async () => {
    await ask(1)
    await server.restart()
    expect(await ask(1)).toEqual({ id: 1, state: 'paid' })
  })
})
