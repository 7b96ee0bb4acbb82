import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { type Env, systemClock } from '@leasehold/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { Given } from '../src/target/arguments.ts'
import { type Place, placeOf } from '../src/target/place.ts'
import { readTarget } from '../src/target/read-target.ts'
import type { Target } from '../src/target/target.ts'
import { UsageError } from '../src/target/usage.ts'
import { leasehold } from './captured.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leasehold-target-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function written(name: string, text: string): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, text)
  return file
}

interface Asked {
  readonly url?: string
  readonly file?: string
  readonly given?: Given
  readonly fromEnv?: Given
  readonly env?: Env
}

function target({ url, file, given = {}, fromEnv = {}, env = {} }: Asked): Promise<Target> {
  return readTarget({ url, file, given, fromEnv }, { env, clock: systemClock })
}

async function place(asked: Asked): Promise<Place & { readonly secret: string | undefined }> {
  const { options, protocol } = await target(asked)
  const read = placeOf(protocol, options, asked.env ?? {})
  return { ...read, password: undefined, secret: read.password }
}

describe('a target', () => {
  it.each([
    ['postgres', 'postgresql', 5432],
    ['mysql', 'mysql', 3306],
  ])('is read from a URL of %s, with its default port', async (scheme, protocol, port) => {
    const asked = { url: `${scheme}://app:s%2Fecret@db.example/shop` }
    expect((await target(asked)).protocol).toBe(protocol)
    const wanted = { host: 'db.example', port, user: 'app', database: 'shop', secret: 's/ecret' }
    expect(await place(asked)).toMatchObject(wanted)
  })

  it.each(['postgres', 'mysql'])(
    'of %s is what the command line says, whatever URL, file and environment say',
    async (scheme) => {
      const file = await written(
        'all.json',
        JSON.stringify({ host: 'of-the-file', user: 'of-the-file', database: 'of-the-file' }),
      )
      const url = `${scheme}://of-the-url@of-the-url/`
      const fromEnv = {
        host: 'of-the-environment',
        user: 'of-the-environment',
        database: 'of-the-environment',
        port: '7000',
      }
      const read = await place({
        url,
        file,
        fromEnv,
        given: { host: 'of-the-line' },
        env: { LEASEHOLD_PASSWORD: 'of-the-environment' },
      })
      expect(read).toMatchObject({
        host: 'of-the-line',
        user: 'of-the-url',
        database: 'of-the-file',
        secret: 'of-the-environment',
      })
    },
  )

  it('is read from the variables that MySQL has', async () => {
    const env = { MYSQL_HOST: 'db.example', MYSQL_TCP_PORT: '3307', MYSQL_PWD: 'a secret', MYSQL_USER: 'app' }
    expect(await place({ env })).toMatchObject({
      host: 'db.example',
      port: 3307,
      user: 'app',
      secret: 'a secret',
    })
  })

  it('is read from a module as the application has it', async () => {
    const file = await written(
      'options.mjs',
      "export const options = { uri: 'mysql://app@db.example/shop', fleet: 'orders' }",
    )
    expect((await target({ file })).options['fleet']).toBe('orders')
    expect((await target({ file })).protocol).toBe('mysql')
  })

  it('prints no password of its place', async () => {
    const { options, protocol } = await target({ url: 'postgres://app:hunter2@db.example/shop' })
    expect(JSON.stringify(placeOf(protocol, options, {}))).not.toContain('hunter2')
  })

  it.each<[string, Asked, RegExp]>([
    ['nothing says which server', {}, /which server\?/],
    ['the URL is none', { url: 'hunter2' }, /the URL is none/],
    ['nobody knows the engine', { url: 'oracle://db.example' }, /must be postgresql, mysql or mariadb/],
    ['the port is none', { given: { engine: 'mysql', port: 'hunter2' } }, /from 1 to 65535/],
    [
      'two ways of logging in are given',
      { url: 'postgres://db', given: { iam: true, secret: 'arn' } },
      /not both/,
    ],
    ['a file is not there', { file: '/nowhere/options.json' }, /cannot be read \(ENOENT\)/],
    [
      'a file of certificates is not there',
      { url: 'mysql://db', given: { ca: '/nowhere' } },
      /cannot be read/,
    ],
  ])('is an error in the call where %s', async (_what, asked, words) => {
    const error = await target(asked).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(UsageError)
    expect(String(error)).toMatch(words)
    expect(String(error)).not.toContain('hunter2')
  })

  it.each([
    ['no-json.json', '{ "password": hunter2 }'],
    ['no-object.json', '"hunter2"'],
    ['no-source.json', '{ "engine": "mysql", "credentials": "hunter2" }'],
    ['nothing.mjs', 'export const password = "hunter2"'],
    ['broken.mjs', 'hunter2('],
  ])('quotes nothing of a file that it cannot read: %s', async (name, text) => {
    const file = await written(name, text)
    const { exitCode, stderr, stdout } = await leasehold(['doctor', '--options', file])
    expect(exitCode).toBe(2)
    expect(stdout + stderr).not.toContain('hunter2')
    expect(stderr).toContain(name)
  })

  it.each([
    [['doctor', '--options', 'invalid'], 'maxLeaseMs'],
    [['doctor', 'postgres://db', '--timeout-ms', 'soon'], 'from 100 to 60000'],
    [['top', 'postgres://db', '--interval-ms', '1'], 'from 250 to 60000'],
  ])('exits with 2 where an option is out of range: %j', async (args, words) => {
    const file = await written(
      'invalid.json',
      JSON.stringify({ engine: 'mysql', host: '127.0.0.1', maxLeaseMs: -1 }),
    )
    const { exitCode, stderr } = await leasehold(args.map((arg) => (arg === 'invalid' ? file : arg)))
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(words) as string,
    })
  })
})
