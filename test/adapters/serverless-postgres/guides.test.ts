// The code in the guides is run as it stands there, against real servers. What it answers stands above it.
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'

import { type DatabaseServer, startMariadb, startPostgres } from '@leasehold/test-databases'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const root = new URL('../../../', import.meta.url)
/** Where the packages that the code imports are installed. */
const folder = new URL('test/', root)

type Engine = 'postgresql' | 'mariadb'

interface Block {
  readonly page: string
  readonly engine: Engine
  readonly answer: string
  readonly code: string
}

const RUNNABLE = /<!-- run on (postgresql|mariadb): ([^\n]+) -->\n+```js\n([^]*?)```/g

async function blocksOf(page: string): Promise<Block[]> {
  const text = await readFile(new URL(page, root), 'utf8')
  return [...text.matchAll(RUNNABLE)].map(([, engine, answer = '', code = '']) => ({
    page,
    engine: engine as Engine,
    answer,
    code,
  }))
}

const guides = (await readdir(new URL('docs/migrating/', root))).map((name) => `docs/migrating/${name}`)
const blocks = (await Promise.all([...guides, 'docs/transactions.md'].map(blocksOf))).flat()

/** Runs the code's handler once in a process of its own, and resolves to what it answered. */
function answerOf(code: string, { host, port, login }: DatabaseServer): Promise<unknown> {
  const env = {
    ...process.env,
    DB_HOST: host,
    DB_PORT: String(port),
    DB_USER: login.user,
    DB_PASSWORD: login.password,
  }
  const program = `${code}\nconsole.log(JSON.stringify(await handler({ id: 1 })))\nprocess.exit(0)\n`
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      ['--conditions=@leasehold/source', '--input-type=module', '-'],
      { cwd: folder, env, timeout: 20_000 },
      (error, stdout) => (error === null ? resolve(JSON.parse(stdout)) : reject(error)),
    )
    child.stdin?.end(program)
  })
}

const TABLE = ['drop table if exists orders', 'create table orders (id int primary key, state text)']
const FIRST = "insert into orders values (1, 'new')"

describe('the guides', () => {
  const servers: Partial<Record<Engine, DatabaseServer>> = {}
  const serverOf = (engine: Engine): DatabaseServer => {
    const server = servers[engine]
    if (server === undefined) throw new Error(`${engine} was not started`)
    return server
  }
  beforeAll(async () => {
    const [postgresql, mariadb] = await Promise.all([startPostgres(), startMariadb()])
    Object.assign(servers, { postgresql, mariadb })
  })
  afterAll(() => Promise.all(Object.values(servers).map((server) => server.dispose())))
  beforeEach(async () => {
    const { host, port, database, login } = serverOf('postgresql')
    const client = new pg.Client({ host, port, database, ...login })
    await client.connect()
    for (const statement of [...TABLE, FIRST]) await client.query(statement)
    await client.end()
  })
  beforeEach(async () => {
    const { host, port, database, login } = serverOf('mariadb')
    const connection = await mysql.createConnection({ host, port, database, ...login })
    for (const statement of [...TABLE, FIRST]) await connection.query(statement)
    await connection.end()
  })
  afterEach(async () => {
    for (const server of Object.values(servers)) {
      for (const { id } of await server.sessions()) await server.terminate(id)
    }
  })

  it.each(blocks)('$page answers $answer on $engine', async ({ engine, answer, code }) => {
    expect(await answerOf(code, serverOf(engine))).toEqual(JSON.parse(answer))
  })

  it('have code that is run, all of them', () => {
    const pages = new Set(blocks.map(({ page }) => page))
    const silent = guides.filter((page) => !pages.has(page) && !/README|serverless-mysql/.test(page))
    expect(silent).toEqual([])
  })

  it('lead to pages that exist', async () => {
    for (const page of [...guides, 'docs/transactions.md']) {
      const text = await readFile(new URL(page, root), 'utf8')
      for (const [, target = ''] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        await readFile(new URL(target.replaceAll(/\s/g, ''), new URL(page, root)))
      }
    }
  })
})
