// Sessions refused, ended and lost: what each costs the client, and what it must not cost.
import { startRelay } from '@leasehold/test-databases'
import { expect } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import type { Scene } from './scene.ts'

export function losses({ weakness, make, under, names, sessionIds, endSessions }: Scene): void {
  weakness(1, 'an ordinary login waits for a slot of a full server', async () => {
    const free = await under.fill()
    const connecting = make().connect()
    connecting.catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 150))
    await free(2)
    await connecting
  })

  weakness(2, 'a client whose idle session was ended answers its next request at once', async () => {
    const client = make()
    let slowestMs = 0
    for (let turn = 0; turn < 4; turn += 1) {
      await client.connect()
      await client.query('select 1')
      await endSessions()
      const startMs = performance.now()
      await client.connect()
      await client.query('select 1')
      slowestMs = Math.max(slowestMs, performance.now() - startMs)
    }
    expect(slowestMs).toBeLessThan(300)
  })

  weakness(4, 'a transaction whose session is lost is lost whole, and says so to its end', async () => {
    const client = make()
    await client.connect()
    await client.query('BEGIN')
    await client.query("insert into t values ('first')")
    await endSessions()
    const second = await rejection(client.query("insert into t values ('second')"))
    const third = await rejection(client.query("insert into t values ('third')"))
    const commit = await rejection(client.query('COMMIT'))
    expect(second).toMatchObject({ leasehold: { kind: 'lost' } })
    expect([third.code, commit.code]).toEqual(['TRANSACTION_ABORTED', 'TRANSACTION_ABORTED'])
    await client.query("insert into t values ('after')")
    expect(await names()).toEqual(['after'])
  })

  weakness(4, 'a statement that ran before its session was lost is not run again', async () => {
    const client = make()
    await client.connect()
    const insert = client.query(
      "do $$ begin insert into t values ('once'); commit; perform pg_sleep(3); end $$",
    )
    const failing = rejection(insert)
    await eventually('the row is there', async () => (await names()).length === 1)
    for (const id of await sessionIds()) await under.server.terminate(id)
    expect(await failing).toMatchObject({ code: '57P01', leasehold: { statementMayHaveRun: true } })
    expect(await names()).toEqual(['once'])
  })

  weakness(5, 'a reset under an idle session is no uncaught exception', async () => {
    const relay = await startRelay(under.server)
    const client = make({ host: relay.host, port: relay.port })
    await client.connect()
    relay.reset()
    await eventually('the session is gone', async () => (await sessionIds()).length === 0)
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await client.end()
    await relay.close()
  })

  weakness(6, 'a client that gave up once has all its patience again', async () => {
    const free = await under.fill()
    const client = make({ maxRetries: 3, capMs: 100, delayMs: 40 })
    const first = await rejection(client.connect())
    const second = await rejection(client.connect())
    expect([first, second]).toMatchObject([{ leasehold: { attempts: 4 } }, { leasehold: { attempts: 4 } }])
    await free(2)
    await client.connect()
  })

  weakness(9, 'a connect that failed is not taken for a connection', async () => {
    const { password } = under.target
    const client = make({ password: 'wrong' })
    expect(await rejection(client.connect())).toMatchObject({ code: '28P01' })
    expect(await rejection(client.connect())).toMatchObject({ code: '28P01' })
    client.setConfig({ password })
    await client.connect()
  })

  weakness(13, 'a session that was ended while idle is forgotten before anything is sent on it', async () => {
    const client = make()
    await client.connect()
    await endSessions()
    const state = (): unknown => (client as unknown as { _client: unknown })._client
    await eventually('it is forgotten', () => state() === null)
  })

  weakness(14, 'a session whose server has vanished stops nobody from moving to another', async () => {
    const relay = await startRelay(under.server)
    const other = await under.server.createLogin()
    const client = make({ host: relay.host, port: relay.port, allowCredentialsDiffing: true })
    await client.connect()
    relay.blackhole()
    const { host, port } = under.target
    client.setConfig({ ...other, host, port })
    await client.connect()
    expect((await client.query('select current_user as name')).rows).toEqual([{ name: other.user }])
    relay.reset()
    await relay.close()
  })
}
