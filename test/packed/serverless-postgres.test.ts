/** Moving from serverless-postgres costs one import line: its shape is kept, for `require`, `import` and the compiler. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type Consumer, newConsumer } from './consumer.ts'
import { packAll, type Tarballs } from './tarballs.ts'
import { run, succeed, WORKSPACE } from './workspace.ts'

const USE = `
  const client = new ServerlessClient({ host: 'db', user: 'app', maxRetries: 0 })
  const members = ['connect', 'query', 'clean', 'end', 'on', 'setConfig', 'transaction']
  console.log(ServerlessClient.name, members.every((name) => typeof client[name] === 'function'))
`

const TYPED = `
const config: ServerlessClient.Config = { host: 'db', strategy: 'ranked', maxLeaseMs: 60_000, library: pg }
const client = new ServerlessClient(config)
export async function names(): Promise<string[]> {
  await client.connect()
  const { rows } = await client.query<{ name: string }>('select name from shop where id = $1', [1])
  await client.query({ text: 'select 1', idempotent: true, queryTimeoutMs: 100 })
  await client.clean()
  return rows.map((row) => row.name)
}
// @ts-expect-error a misspelt option
export const wrong = new ServerlessClient({ maxRetrys: 1 })
`

let tarballs: Tarballs
let consumer: Consumer

beforeAll(async () => {
  tarballs = await packAll()
  consumer = await newConsumer(tarballs)
  await consumer.write({
    'use.cjs': `const ServerlessClient = require('@leasehold/pg-adapter/serverless-postgres')${USE}`,
    'use.mjs': `import ServerlessClient from '@leasehold/pg-adapter/serverless-postgres'${USE}`,
    'typed.mts': `import pg from 'pg'\nimport ServerlessClient from '@leasehold/pg-adapter/serverless-postgres'\n${TYPED}`,
    'typed.cts': `import pg = require('pg')\nimport ServerlessClient = require('@leasehold/pg-adapter/serverless-postgres')\n${TYPED}`,
    'tsconfig.json': JSON.stringify({
      compilerOptions: { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: ['node'] },
      include: ['typed.*'],
    }),
  })
})

afterAll(async () => {
  await consumer?.[Symbol.asyncDispose]()
  await tarballs?.[Symbol.asyncDispose]()
})

describe('@leasehold/pg-adapter/serverless-postgres', () => {
  it.each(['use.cjs', 'use.mjs'])('is the class itself in %s', async (file) => {
    const said = await succeed(process.execPath, [file], { cwd: consumer.folder })
    expect(said.trim()).toBe('ServerlessClient true')
  })

  it('has types for both, its configuration among them', async () => {
    const compiler = `${WORKSPACE}/node_modules/typescript/bin/tsc`
    const outcome = await run(process.execPath, [compiler, '--project', '.'], { cwd: consumer.folder })
    expect(outcome, outcome.stdout + outcome.stderr).toMatchObject({ exitCode: 0 })
  })
})
