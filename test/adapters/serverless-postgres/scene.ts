// What each test of a weakness starts from, and which make of client it is run on.
import ServerlessClient from '@leasehold/pg-adapter/serverless-postgres'
import type { DatabaseServer } from '@leasehold/test-databases'
import pg from 'pg'
import { afterEach, beforeEach, it } from 'vitest'

import { eventually } from '../eventually.ts'
import { serverUnderTest, type ServerUnderTest } from '../server.ts'

/** The ancestor's face, as far as the tests use it. */
type Client = Pick<ServerlessClient, 'connect' | 'query' | 'clean' | 'end' | 'setConfig'>
type Make = new (config: ServerlessClient.Config) => Client

export interface Subject {
  readonly Client: Make
  /** Weaknesses that it has: their tests must fail. Those named in `skipped` would end the process, or need our own face. */
  readonly has: readonly number[]
  readonly skipped: readonly number[]
}

export const OURS: Subject = { Client: ServerlessClient, has: [], skipped: [] }

/** Sessions must live as long as a test takes, whatever the pressure. */
const STEADY = { minLeaseMs: 60_000, logger: { warn() {}, error() {} } }

export interface Scene {
  readonly under: ServerUnderTest
  readonly weakness: (number: number, says: string, run: () => Promise<void>) => void
  readonly make: (config?: ServerlessClient.Config) => Client
  /** What is in the table, seen from outside. */
  readonly names: () => Promise<unknown[]>
  readonly sessionIds: () => Promise<number[]>
  readonly endSessions: () => Promise<void>
}

export function sceneFor(start: () => Promise<DatabaseServer>, subject: Subject): Scene {
  const under = serverUnderTest(start, openBare)
  const clients: Client[] = []
  const make = (config: ServerlessClient.Config = {}): Client => {
    const client = new subject.Client({ ...under.target, ...STEADY, ...config })
    clients.push(client)
    return client
  }
  const weakness = (number: number, says: string, run: () => Promise<void>): void => {
    if (subject.skipped.includes(number)) return
    const test = subject.has.includes(number) ? it.fails : it
    test(`${number}. ${says}`, run)
  }
  const sessionIds = async (): Promise<number[]> => (await under.server.sessions()).map(({ id }) => id)
  const endSessions = async (): Promise<void> => {
    for (const id of await sessionIds()) await under.server.terminate(id)
    await eventually('the sessions are gone', async () => (await sessionIds()).length === 0)
  }

  beforeEach(async () => {
    const client = new pg.Client({ ...under.target })
    await client.connect()
    await client.query('create table if not exists t (name text)')
    await client.query('truncate t')
    await client.end()
  })
  afterEach(async () => {
    await Promise.allSettled(clients.splice(0).map((client) => client.end()))
  })
  const names = async (): Promise<unknown[]> => {
    const client = new pg.Client({ ...under.target })
    await client.connect()
    const { rows } = await client.query<{ name: string }>('select name from t order by name')
    await client.end()
    return rows.map(({ name }) => name)
  }
  return { under, weakness, make, names, sessionIds, endSessions }
}

/** Idle time is the server's to measure. */
export async function idleFor(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

const openBare = async (target: ServerUnderTest['target']): Promise<{ end(): Promise<void> } | undefined> => {
  const client = new pg.Client({ ...target })
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    if ((error as { code?: string }).code === '53300') return undefined
    throw error
  }
}
