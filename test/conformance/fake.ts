// The in-memory engine as a conformance subject: what users test with must behave as the servers do.
import {
  fakeDialect,
  type FakeErrorCode,
  FakePool,
  FakeServer,
  type FakeSession,
} from '@leasehold/core/testing'

import {
  type Asker,
  type FrozenPool,
  pause,
  type PoolSettings,
  type Specimen,
  type Subject,
  type TestPool,
} from './subject.ts'

const PASSWORD = 'right'

type Query = (statement: string) => Promise<{ rows: readonly unknown[] }>

/** The server's reply to the neutral questions. */
function reply(statement: string, session: FakeSession): readonly unknown[] {
  if (statement.startsWith('echo ')) return [statement.slice('echo '.length)]
  if (statement === 'session') return [session.id]
  return statement === 'lease' ? [session.server.leaseMs ?? 0] : []
}

function asker(query: Query): Asker {
  const only = async (statement: string): Promise<unknown> => (await query(statement)).rows[0]
  return {
    echo: async (value) => String(await only(`echo ${value}`)),
    sessionId: async () => Number(await only('session')),
    leaseMs: async () => Number(await only('lease')),
  }
}

export function fakeSubject(): Subject {
  const server = new FakeServer({ slotCount: 12, password: PASSWORD, reply })
  const queries = new WeakMap<object, Query>()

  const openPool = (settings: PoolSettings = {}): TestPool => {
    const { relayed: _relayed, ...options } = settings
    const pool = new FakePool(server, { max: 10, password: PASSWORD, ...options })
    return {
      ...asker((statement) => pool.query(statement)),
      connect: async () => {
        const client = await pool.connect()
        const query: Query = (statement) => client.query(statement)
        const held = { ...asker(query), release: () => client.release() }
        queries.set(held, query)
        return held
      },
      end: () => pool.end(),
      stats: () => pool.leasehold.stats(),
      census: () => pool.leasehold.census(),
    }
  }

  return {
    name: 'the in-memory engine',
    slots: server.slotCount,
    overhead: 0,
    leaseGranularityMs: fakeDialect.leaseGranularityMs,
    saturatedCodes: ['FAKE_NO_SLOT'],
    openPool,
    // In one process nothing is frozen; the cases then say that leases and ends are met all the same.
    openFrozenPool: async (settings): Promise<FrozenPool> => {
      const pool = openPool(settings)
      return { ...pool, stats: async () => pool.stats(), dispose: () => pool.end() }
    },
    network: {
      get delayMs() {
        return server.roundTripMs / 2
      },
      set delayMs(delayMs) {
        server.roundTripMs = 2 * delayMs
        server.connectMs = 4 * delayMs
      },
      blackhole: () => server.blackhole(),
      resume: () => server.resume(),
      reset: () => server.reset(),
    },
    sessions: async () => server.sessions.map(({ id }) => id),
    terminate: async (id) => {
      const session = server.sessions.find((other) => other.id === id)
      if (session !== undefined) server.terminate(session)
    },
    restart: async () => {
      server.restart(200)
      // A real one takes its time, and its clients hear of it meanwhile.
      await pause(20)
    },
    fill: async () => {
      const bare: FakeSession[] = []
      while (server.sessions.length < server.slotCount)
        bare.push(await server.connect({ password: PASSWORD }))
      return async (count) => {
        for (const session of bare.splice(0, count)) session.close()
      }
    },
    writeToReadOnly: async (connection) => {
      server.readOnly = true
      try {
        await queries.get(connection)?.('insert into orders values (1)')
      } catch (error) {
        return error
      }
      return undefined
    },
    specimens: () => specimens(server),
    classify: (error) => fakeDialect.classify(error),
    reset: async () => {
      server.readOnly = false
      server.roundTripMs = 0
      server.connectMs = 0
      server.resume()
      for (const session of server.sessions) server.terminate(session)
    },
    dispose: async () => {},
  }
}

/** Errors as a statement or a connect meets them. */
function specimens(server: FakeServer): readonly Specimen[] {
  const told = (code: FakeErrorCode, kind: string): Specimen => ({
    name: code,
    kind,
    raise: async () => {
      const session = await server.connect({ password: PASSWORD })
      server.failNext(code)
      const error = await session.run('select 1').catch((failure: unknown) => failure)
      session.close()
      return error
    },
  })
  return [
    told('FAKE_DEADLOCK', 'transient'),
    told('FAKE_STATEMENT_FAILED', 'fatal'),
    told('FAKE_TERMINATED', 'lost'),
    {
      name: 'wrong password',
      kind: 'auth',
      raise: () => server.connect({ password: 'wrong' }).catch((failure: unknown) => failure),
    },
  ]
}
