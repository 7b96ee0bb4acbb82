import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { availability } from '../src/index.ts'
import type { DatabaseServer, Login } from '../src/index.ts'
import { openClient } from './clients.ts'

for (const { name, engine, available, remedy, start } of await availability()) {
  const title = available ? name : `${name} (not here: ${remedy})`
  const refused = engine === 'postgresql' ? { code: '28P01' } : { errno: 1045 }
  // MariaDB installs itself, or fails with the remedy.
  describe.skipIf(!available && engine !== 'mariadb')(`passwords of ${title}`, () => {
    let server: DatabaseServer

    beforeAll(async () => {
      server = await start()
    })

    afterAll(() => server.dispose())

    async function canLogIn(login: Login): Promise<void> {
      const client = await openClient(server, { login })
      await client.query('select 1')
      await client.end()
    }

    it('change for one user: new sessions need the new one, open sessions stay', async () => {
      const { user, password } = server.login
      const open = await openClient(server)
      const rotated = `it's "new" \\ ${password}`
      await server.setPassword(user, rotated)
      await expect(canLogIn({ user, password })).rejects.toMatchObject(refused)
      await canLogIn({ user, password: rotated })
      expect(await open.query('select 1 as one')).toEqual([{ one: 1 }])
      await open.end()
      await server.setPassword(user, password)
      await canLogIn(server.login)
    })

    it('change for one of two users in turn, while the other stays as it is', async () => {
      const other = await server.createLogin()
      for (const { user } of [other, server.login, other]) await server.setPassword(user, `next of ${user}`)
      await canLogIn({ user: other.user, password: `next of ${other.user}` })
      await canLogIn({ user: server.login.user, password: `next of ${server.login.user}` })
      await expect(canLogIn(other)).rejects.toMatchObject(refused)
    })

    it('do not change for a user who is not there', async () => {
      await expect(server.setPassword("no'body", 'secret')).rejects.toMatchObject(
        engine === 'postgresql' ? { code: '42704' } : { errno: 1396 },
      )
    })
  })
}
