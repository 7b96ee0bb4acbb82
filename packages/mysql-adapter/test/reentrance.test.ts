import { duplexPair } from 'node:stream'

import type { Hooks } from '@leasehold/core'
import mysql2 from 'mysql2'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { createGovernedPool, type GovernedPool } from '../src/governed-pool.ts'

interface ServerSide {
  _handleConnection(stream: unknown): void
  on(event: 'connection', listener: (connection: ServerConnection) => void): void
}

interface ServerConnection {
  serverHandshake(greeting: object): void
  on(event: string, listener: (statement: string) => void): void
  writeOk(): void
  readonly stream: { destroy(): void }
}

/** A pool on sessions inside this process, which answer every statement with OK. */
function start(hooks: Hooks): { pool: GovernedPool; sessions: ServerConnection[] } {
  const sessions: ServerConnection[] = []
  const server = (mysql2 as unknown as { createServer(): ServerSide }).createServer()
  server.on('connection', (session) => {
    sessions.push(session)
    session.on('error', () => undefined)
    session.on('query', () => session.writeOk())
    session.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8.4.0',
      connectionId: sessions.length,
      statusFlags: 2,
      characterSet: 33,
      capabilityFlags: 0xff_ff_ff ^ 0x8_00 ^ 0x20,
      authCallback: (_: unknown, done: (error: null) => void) => done(null),
    })
  })
  const stream = (): unknown => {
    const [ours, theirs] = duplexPair()
    server._handleConnection(Object.assign(theirs, { setNoDelay: () => undefined }))
    return Object.assign(ours, { setNoDelay: () => undefined, setKeepAlive: () => undefined })
  }
  const options = { user: 'app', stream, lease: 'off', connectionLimit: 1, hooks }
  return { pool: createGovernedPool(mysql2, options as never), sessions }
}

const pools: GovernedPool[] = []
afterEach(async () => {
  for (const pool of pools.splice(0)) await new Promise((resolve) => pool.end(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  vi.restoreAllMocks()
})

describe('a hook that asks the pool for a connection at once', () => {
  it('is given another one than the one it is told of', { timeout: 5_000 }, async () => {
    // The driver's server does not begin to count packets anew, and its client says so.
    vi.spyOn(console, 'error').mockReturnValue(undefined)
    const told: string[] = []
    const asked = new Promise<void>((resolve, reject) => {
      const ask = (what: string): void => {
        told.push(what)
        // What never comes back from here would keep the process busy for ever.
        if (told.length > 3) throw new Error('asked again and again')
        if (what === 'lost') scene.pool.query('select 2', (error) => (error ? reject(error) : resolve()))
      }
      const scene = start({ onLost: () => ask('lost'), onLapse: () => ask('lapse') })
      pools.push(scene.pool)
      scene.pool.query('select 1', () => {
        setImmediate(() => scene.sessions[0]?.stream.destroy())
      })
    })
    await asked
    expect(told).toEqual(['lost'])
  })
})
