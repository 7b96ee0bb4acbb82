// Rotations of a real PostgreSQL's passwords through the fake and through the emulator while a pool is in use:
// no request fails.
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

import { secret } from '@leasehold/core/aws'
import { createPool } from '@leasehold/pg-adapter'
import { type DatabaseServer, type Login, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { IDENTITY, onEverySecretStore, REGION, type SecretStore } from './secret-stores.ts'

/** How long the database has the new password before AWSCURRENT does. */
const GAP_MS = 500
const DRAIN_EVERY_MS = 50
const ROTATIONS = 3
const CALLERS = 4

type Pool = ReturnType<typeof createPool>

onEverySecretStore('rotation under load', (start) => {
  let server: DatabaseServer
  let store: SecretStore
  beforeAll(async () => {
    server = await startPostgres()
    store = await start()
  })
  afterAll(async () => {
    await (store as SecretStore | undefined)?.dispose()
    await (server as DatabaseServer | undefined)?.dispose()
  })

  const secretOf = ({ user, password }: Login): object => {
    const { host, port, database } = server
    return { engine: 'postgres', host, port, dbname: database, username: user, password }
  }

  /** A pool that knows of the database what the secret says, and no more. */
  const openPool = async (id: string): Promise<Pool> => {
    const credentials = secret(id, { endpoint: store.endpoint, region: REGION, credentials: IDENTITY })
    const { host = '', port = 0, database = '' } = await credentials.endpoint()
    return createPool({ host, port, database, credentials, max: CALLERS })
  }

  /** Lets time pass in which new connections are made all along. */
  const passWithLogins = async (pool: Pool): Promise<void> => {
    for (let passedMs = 0; passedMs < GAP_MS; passedMs += DRAIN_EVERY_MS) {
      pool.leasehold.drain()
      await pause(DRAIN_EVERY_MS)
    }
  }

  /** Rotates step by step while callers ask without pause; resolves to the users that they were. */
  const rotateUnderLoad = async (id: string, steps: readonly Login[]): Promise<Map<string, number>> => {
    const pool = await openPool(id)
    const askedAs = new Map<string, number>()
    const failures: unknown[] = []
    let isOver = false
    const call = async (): Promise<void> => {
      while (!isOver) {
        try {
          const { rows } = await pool.query<{ v: string }>('select current_user as v')
          const user = rows[0]?.v ?? ''
          askedAs.set(user, (askedAs.get(user) ?? 0) + 1)
        } catch (error) {
          failures.push(error)
        }
        await pause(2)
      }
    }
    const calls = Promise.all(Array.from({ length: CALLERS }, call))
    try {
      for (const step of steps) {
        await store.createPending(id, secretOf(step))
        await server.setPassword(step.user, step.password)
        await passWithLogins(pool)
        await store.finishRotation(id)
        await passWithLogins(pool)
      }
    } finally {
      isOver = true
      await calls
      await pool.end()
    }
    expect(failures).toEqual([])
    return askedAs
  }

  const newPassword = (): string => randomBytes(12).toString('hex')

  it('fails no request while one user gets a new password', async () => {
    const login = await server.createLogin()
    const arn = await store.create('one-user', secretOf(login))
    const steps = Array.from({ length: ROTATIONS }, () => ({ user: login.user, password: newPassword() }))
    const askedAs = await rotateUnderLoad(arn, steps)
    expect([...askedAs.keys()]).toEqual([login.user])
    expect(askedAs.get(login.user)).toBeGreaterThan(200)
  })

  it('fails no request while two users take turns, and uses both', async () => {
    const blue = await server.createLogin()
    const green = await server.createLogin()
    await store.create('two-users', secretOf(blue))
    const steps = [green, blue, green].map(({ user }) => ({ user, password: newPassword() }))
    const askedAs = await rotateUnderLoad('two-users', steps)
    expect([...askedAs.keys()].toSorted()).toEqual([blue.user, green.user].toSorted())
    expect([...askedAs.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(200)
  })
})
