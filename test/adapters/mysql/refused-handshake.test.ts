// A server that ends connections before it has greeted them, while another request waits for the same place.
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'

import { createPool } from '@leasehold/mysql-adapter'
import { afterEach, expect, it } from 'vitest'

import { quietLog } from '../quiet-log.ts'
import { onEveryServer } from './server.ts'

await onEveryServer((under) => {
  let door: Server | undefined
  afterEach(() => door?.close())

  /** Ends the first connections at once, and lets the later ones through. */
  async function startDoor(endsCount: number): Promise<number> {
    let seenCount = 0
    const { host, port } = under.target
    door = createServer((client) => {
      seenCount += 1
      client.on('error', () => {})
      if (seenCount <= endsCount) {
        client.end()
        return
      }
      const server = connect({ host, port })
      server.on('error', () => {})
      client.pipe(server).pipe(client)
    })
    door.listen(0, '127.0.0.1')
    await once(door, 'listening')
    const bound = door.address()
    if (bound === null || typeof bound === 'string') throw new Error('the door has no port')
    return bound.port
  }

  it('keeps a place for the request whose connection ended before it was greeted', async () => {
    const port = await startDoor(4)
    const pool = createPool({ ...under.target, port, connectionLimit: 1, logger: quietLog() })
    const answers = await Promise.all(
      [1, 2, 3].map(async (value) => (await pool.promise().query('select ? as v', [value]))[0]),
    )
    expect(answers).toEqual([[{ v: 1 }], [{ v: 2 }], [{ v: 3 }]])
    expect(pool.leasehold.stats()).toMatchObject({ opened: 1, attempts: 5 })
    await pool.promise().end()
  })
})
