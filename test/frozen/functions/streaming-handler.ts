// A function that streams rows to its caller as the database sends them.
import { type Readable, Transform, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import { lambdaExtension } from '@leasehold/core/lambda'
import { createPool as createMysqlPool } from '@leasehold/mysql-adapter'
import { createPool as createPgPool } from '@leasehold/pg-adapter'
import QueryStream from 'pg-query-stream'

import type { Target } from '../../conformance/askers.ts'

const { EXTENSION = '{}', FLEET_TARGET = '{}' } = process.env
await lambdaExtension(JSON.parse(EXTENSION) as object)
const { engine, ...login } = JSON.parse(FLEET_TARGET) as Target
const rows = engine === 'postgresql' ? postgresRows() : mysqlRows()

interface Rows {
  /** What `count` rows come in, and what gives their connection back. */
  open(count: number): Promise<{ readonly source: Readable; release(): void }>
  stats(): object
}

function postgresRows(): Rows {
  const pool = createPgPool(login)
  return {
    open: async (count) => {
      const client = await pool.connect()
      const text = "select n, repeat('x', 100) as text from generate_series(1, $1::int) as n"
      const source = client.query(new QueryStream(text, [count], { batchSize: 100 }))
      return { source, release: () => client.release() }
    },
    stats: () => pool.leasehold.stats(),
  }
}

function mysqlRows(): Rows {
  const pool = createMysqlPool(login)
  const text =
    'with recursive s as (select 0 as n union all select n + 1 from s where n < 199) ' +
    "select a.n * 200 + b.n as n, repeat('x', 100) as text from s a, s b limit ?"
  return {
    open: async (count) => {
      const source = pool.query(text, [count]).stream()
      // The pool gives it back when the stream is at its end.
      return { source, release: () => {} }
    },
    stats: () => pool.leasehold.stats(),
  }
}

interface Asked {
  readonly ask: 'rows' | 'stats' | 'abandon'
  readonly count?: number
  /** The caller takes no more for so long, in the middle. */
  readonly pauseMs?: number
}

async function answer({ ask, count = 1_000, pauseMs = 0 }: Asked, response: Writable): Promise<void> {
  if (ask === 'stats') {
    response.end(JSON.stringify(rows.stats()))
    return
  }
  const { source, release } = await rows.open(count)
  if (ask === 'abandon') {
    source.once('data', () => source.pause())
    await new Promise((resolve) => source.once('data', resolve))
    response.end('enough')
    return
  }
  let seen = 0
  const lines = new Transform({
    writableObjectMode: true,
    transform: (row: { readonly n: number }, _encoding, done) => {
      seen += 1
      const pause = seen === Math.floor(count / 2) ? sleep(pauseMs) : Promise.resolve()
      void pause.then(() => done(null, `${row.n}\n`))
    },
  })
  try {
    await pipeline(source, lines, response)
  } finally {
    release()
  }
}

const { awslambda } = globalThis as unknown as {
  readonly awslambda: { streamifyResponse(handler: typeof answer): unknown }
}
export const stream: unknown = awslambda.streamifyResponse(answer)
