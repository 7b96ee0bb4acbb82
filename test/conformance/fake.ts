// The in-memory engine as a conformance subject: what users test with must behave as the servers do.
import {
  fakeDialect,
  type FakeErrorCode,
  FakePool,
  FakeServer,
  type FakeSession,
  transaction,
} from '@leasehold/core/testing'

import {
  type Asker,
  type FrozenPool,
  pause,
  type PoolSettings,
  type Sending,
  type Specimen,
  type Subject,
  type TestPool,
  type Writer,
} from './subject.ts'

const PASSWORD = 'right'

type Query = (statement: string, sending?: Sending) => Promise<{ rows: readonly unknown[] }>

/** The server's reply to the neutral questions. */
function reply(statement: string, session: FakeSession): readonly unknown[] {
  if (statement.startsWith('echo ')) return [statement.slice('echo '.length)]
  if (statement === 'session') return [session.id]
  return statement === 'lease' ? [session.server.leaseMs ?? 0] : []
}

const INSERT = 'insert into writes values '

function asker(query: Query): Asker & Writer {
  const only = async (statement: string): Promise<unknown> => (await query(statement)).rows[0]
  return {
    write: async (id, sending) => void (await query(INSERT + String(id), sending)),
    busy: async (durationMs, sending) => void (await query(`sleep ${durationMs}`, sending)),
    echo: async (value) => String(await only(`echo ${value}`)),
    sessionId: async () => Number(await only('session')),
    leaseMs: async () => Number(await only('lease')),
  }
}

export function fakeSubject(): Subject {
  const server = new FakeServer({ slotCount: 12, password: PASSWORD, reply })
  const queries = new WeakMap<object, Query>()
  /** Writes of the cases before. */
  let forgotten = 0

  const openPool = (settings: PoolSettings = {}): TestPool => {
    const { relayed: _relayed, ...options } = settings
    const pool = new FakePool(server, { max: 10, password: PASSWORD, ...options })
    return {
      ...asker((statement, sending) => pool.query(statement, sending)),
      connect: async () => {
        const client = await pool.connect()
        const query: Query = (statement, sending) => client.query(statement, sending)
        const begin = async (): Promise<void> => void (await query('begin'))
        const held = { ...asker(query), begin, release: () => client.release() }
        queries.set(held, query)
        return held
      },
      transaction: (work, how) =>
        transaction(
          pool,
          (client) =>
            work({
              ...asker((statement, sending) => client.query(statement, sending)),
              nested: (inner) => transaction(client, inner),
            }),
          how,
        ),
      enter: (context) => pool.leasehold.enter(context),
      end: () => pool.end(),
      stats: () => pool.leasehold.stats(),
      census: () => pool.leasehold.census(),
      drain: () => pool.leasehold.drain(),
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
      dropReplies: () => server.cutNext('after'),
    },
    written: async () =>
      server.committed
        .slice(forgotten)
        .filter((statement) => statement.startsWith(INSERT))
        .map((statement) => Number(statement.slice(INSERT.length)))
        .toSorted((one, other) => one - other),
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
      forgotten = server.committed.length
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
