// The pictures in the docs are what the commands print: drawn by them, on real servers.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import { createPool, type GovernedPool, type PoolOptions } from '@leasehold/pg-adapter'
import { type DatabaseServer, startPgbouncer, startPostgres } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { doctorScene, urlOf } from './scene.ts'
import { TerminalProgram } from './terminal.ts'

const MAIN = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url))
const isWriting = process.env['LEASEHOLD_WRITE_DOCS'] !== undefined

const pageAt = (name: string): URL => new URL(`../../../docs/${name}.md`, import.meta.url)

/** The block after `mark` in a page of the docs; with another `text` where docs are written. */
async function picture(page: string, mark: string, text: string): Promise<string> {
  const markdown = await readFile(pageAt(page), 'utf8')
  const block = new RegExp(`<!-- ${mark} -->\n(?:\n\`\`\`text\n([^]*?)\`\`\`\n)?`)
  if (isWriting) {
    const drawn = `<!-- ${mark} -->\n\n\`\`\`text\n${text}\n\`\`\`\n`
    await writeFile(
      pageAt(page),
      markdown.replace(block, () => drawn),
    )
    return text
  }
  return block.exec(markdown)?.[1] ?? ''
}

/** What is the same in every picture of the kind: words, without numbers and the room between them. */
function shape(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) =>
      line
        .replaceAll(/[\d.]+|[#.]{2,}/g, 'N')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '')
}

describe('the pictures in the docs', () => {
  const scene = doctorScene()
  let server: DatabaseServer
  const pools: GovernedPool[] = []
  beforeAll(async () => {
    server = await startPostgres({ maxConnections: 43 })
    const { host, port, database, login } = server
    const target = { host, port, database, ...login, reap: false }
    const fleet = async (options: PoolOptions & { max: number }): Promise<void> => {
      const pool = createPool({ ...target, ...options })
      pools.push(pool)
      const clients = await Promise.all(Array.from({ length: options.max }, () => pool.connect()))
      for (const client of clients) client.release()
    }
    await fleet({ fleet: 'orders', application_name: 'checkout', max: 4 })
    await fleet({ fleet: 'orders', application_name: 'refund', max: 2 })
    await fleet({ fleet: 'reports', application_name: 'nightly', max: 3 })
    await fleet({ lease: 'off', application_name: 'psql', max: 1 })
    const busy = pools[2] as GovernedPool
    const client = await busy.connect()
    await client.query('begin')
  })
  afterAll(async () => {
    for (const pool of pools) void pool.end()
    await server.dispose()
  })

  it('of top shows what it draws', async () => {
    const url = urlOf('postgres', server)
    scene.collector.knows('the password', server.login.password)
    const args = ['--conditions=@leasehold/source', MAIN, 'top', url, '--interval-ms', '500']
    const program = new TerminalProgram([process.execPath, ...args], { columns: 100, rows: 24 })
    await program.shows(
      'some seconds',
      (lines) => lines.filter((line) => / idle +[2-9]/.test(line)).length > 3,
    )
    const text = program.lines
      .join('\n')
      .trimEnd()
      .replace(`${server.host}:${server.port}/${server.database}`, 'db.example:5432/shop')
    program.type('q')
    await program.exitCode
    const headings = (of: string): readonly string[] =>
      shape(of).filter((line) => /FLEET|^slots|^q/.test(line))
    expect(headings(await picture('top', 'screen', text))).toEqual(headings(text))
  })

  it('of the doctor shows what it prints', async () => {
    scene.collector.knows('the password', server.login.password)
    const pooler = await startPgbouncer(server)
    try {
      const url = urlOf('postgres', server, { host: pooler.host, port: pooler.port })
      const { stdout } = await scene.leasehold(['doctor', url])
      const text = stdout
        .trimEnd()
        .replace(`${pooler.host}:${pooler.port}/${server.database}`, 'localhost:6432/shop')
        .replaceAll(`${pooler.host}:${pooler.port}`, 'localhost:6432')
        .replaceAll(pooler.host, 'localhost')
      const steps = (of: string): readonly string[] =>
        shape(of).map((line) => line.split(' ').slice(0, 2).join(' '))
      expect(steps(await picture('doctor', 'example', text))).toEqual(steps(text))
    } finally {
      await pooler.dispose()
    }
  })
})
