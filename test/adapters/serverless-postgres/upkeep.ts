// What keeping sessions in order costs, and whom: cleaning, credentials, configuration.
import { startRelay } from '@leasehold/test-databases'
import { expect } from 'vitest'

import { eventually } from '../eventually.ts'
import { idleFor, type Scene } from './scene.ts'

export function upkeep({ weakness, make, under, sessionIds }: Scene): void {
  weakness(3, 'clean ends as many sessions as are over the threshold, and no more', async () => {
    const { slots } = under.server
    const most = Math.floor(slots * 0.8)
    const fleet = Array.from({ length: slots - 1 }, () => make({ maxConnections: slots }))
    for (const client of fleet) await client.connect()
    await idleFor(1_700)
    const [cleaner] = fleet
    await eventually('something was ended', async () => {
      await cleaner?.clean()
      return (await sessionIds()).length < slots - 1
    })
    await cleaner?.clean()
    await eventually('the ended are gone', async () => (await sessionIds()).length <= most)
    expect(await sessionIds()).toHaveLength(most)
  })

  weakness(7, 'a new token in every invocation costs no session', async () => {
    const { password } = under.target
    const client = make({ allowCredentialsDiffing: true })
    const pids = new Set<unknown>()
    for (let invocation = 0; invocation < 4; invocation += 1) {
      client.setConfig({ password: () => password })
      await client.connect()
      pids.add((await client.query('select pg_backend_pid() as pid')).rows[0]?.pid)
      await client.clean()
    }
    expect(pids.size).toBe(1)
  })

  weakness(8, 'a change of user is not forgotten when setConfig is called again before connect', async () => {
    const other = await under.server.createLogin()
    const client = make({ allowCredentialsDiffing: true })
    await client.connect()
    client.setConfig(other)
    client.setConfig({ debug: false })
    await client.connect()
    expect((await client.query('select current_user as name')).rows).toEqual([{ name: other.user }])
  })

  weakness(8, 'another connection string is heard, one with another password costs nothing', async () => {
    const other = await under.server.createLogin()
    const { host, port, database, user, password } = under.target
    const urlOf = (login: { user: string; password: string }): string =>
      `postgres://${login.user}:${encodeURIComponent(login.password)}@${host}:${port}/${database}`
    const client = make({ connectionString: urlOf({ user, password }), allowCredentialsDiffing: true })
    await client.connect()
    const pid = (await client.query('select pg_backend_pid() as pid')).rows[0]?.pid
    client.setConfig({ connectionString: urlOf({ user, password: 'next' }) })
    await client.connect()
    expect((await client.query('select pg_backend_pid() as pid')).rows[0]?.pid).toBe(pid)
    client.setConfig({ connectionString: urlOf(other) })
    await client.connect()
    expect((await client.query('select current_user as name')).rows).toEqual([{ name: other.user }])
  })

  weakness(10, 'slots that others use count, and those that are reserved do not', async () => {
    const idle = make()
    const client = make()
    await idle.connect()
    await client.connect()
    await under.fill()
    await idleFor(1_700)
    await eventually('the idle session was ended', async () => (await client.clean())?.length === 1)
  })

  weakness(11, 'with nothing idle to end, a client in use hands its own session over', async () => {
    const holder = make({ minLeaseMs: 2_000 })
    await holder.connect()
    await under.fill()
    let isIn = false
    const newcomer = make({ acquireTimeoutMs: 20_000 })
    const arriving = newcomer.connect().finally(() => {
      isIn = true
    })
    arriving.catch(() => {})
    while (!isIn) {
      const served = holder.connect().then(() => holder.query('select 1'))
      // Having handed its session over, it waits for another like everybody.
      await Promise.race([served, arriving.catch(() => {})])
      served.catch(() => {})
      if (isIn) break
      await holder.clean()
      // Between two invocations nobody asks for anything.
      await idleFor(300)
    }
    await arriving
  })

  weakness(12, 'clean makes the request wait for no round trip while slots are plenty', async () => {
    const relay = await startRelay(under.server)
    const client = make({ host: relay.host, port: relay.port })
    await client.connect()
    relay.delayMs = 100
    let slowestMs = 0
    for (let invocation = 0; invocation < 3; invocation += 1) {
      await client.query('select 1')
      const startMs = performance.now()
      await client.clean()
      slowestMs = Math.max(slowestMs, performance.now() - startMs)
    }
    relay.delayMs = 0
    await client.end()
    await relay.close()
    expect(slowestMs).toBeLessThan(50)
  })
}
