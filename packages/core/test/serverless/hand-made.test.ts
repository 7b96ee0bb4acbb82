import { beforeEach, describe, expect, it } from 'vitest'

import { LimitedLog } from '../../src/log.ts'
import type { ServerlessEngine } from '../../src/serverless/engine.ts'
import { HandMade } from '../../src/serverless/hand-made.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { ListeningLogger, rejectionOf } from '../scene.ts'

/** A connection that remembers what was asked of it and done to it. */
class Connection {
  readonly story: string[] = []
  fails = false
  isOpen = true
}

type Engine = ServerlessEngine<Connection, Connection>

const engine = {
  checkout: async (pool) => pool,
  release: (client) => void client.story.push('released'),
  destroy: (client) => void client.story.push('destroyed'),
  isOpen: (client) => client.isOpen,
  queryOn: async (client, { sql }) => {
    client.story.push(sql)
    if (client.fails) throw new Error('refused')
    return sql
  },
} as Partial<Engine> as Engine

describe('a transaction made by hand', () => {
  let connection: Connection
  let env: Record<string, string>
  let logger: ListeningLogger
  let byHand: HandMade<Connection, Connection>

  beforeEach(() => {
    connection = new Connection()
    env = { _X_AMZN_TRACE_ID: 'first' }
    logger = new ListeningLogger()
    const log = new LimitedLog(logger, new ManualClock())
    byHand = new HandMade(engine, env, () => log)
  })

  const begin = (): Promise<unknown> => byHand.begin(connection, { sql: 'begin' })
  const query = (sql: string): Promise<unknown> => byHand.query({ sql })

  it('keeps its connection until it is committed', async () => {
    await begin()
    await query('insert')
    expect(byHand.isOpen()).toBe(true)
    await query('commit')
    expect(byHand.isOpen()).toBe(false)
    expect(connection.story).toEqual(['begin', 'insert', 'commit', 'released'])
  })

  it('does not begin where BEGIN is refused', async () => {
    connection.fails = true
    await rejectionOf(begin())
    expect(byHand.isOpen()).toBe(false)
    expect(connection.story).toEqual(['begin', 'destroyed'])
  })

  it('goes on after a statement that was refused', async () => {
    await begin()
    connection.fails = true
    await rejectionOf(query('insert'))
    expect(byHand.isOpen()).toBe(true)
  })

  it('ends where its connection is lost, and where its end fails', async () => {
    for (const sql of ['insert', 'commit']) {
      connection = new Connection()
      await begin()
      connection.fails = true
      connection.isOpen = sql === 'commit'
      await rejectionOf(query(sql))
      expect(byHand.isOpen()).toBe(false)
      expect(connection.story.at(-1)).toBe('destroyed')
    }
  })

  it('does not reach the next invocation', async () => {
    await begin()
    env['_X_AMZN_TRACE_ID'] = 'second'
    expect(byHand.isOpen()).toBe(false)
    expect(connection.story).toEqual(['begin', 'destroyed'])
    expect(logger.warnings.join()).toContain('a transaction was still open when the next invocation began')
  })
})
