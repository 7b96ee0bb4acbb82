import { mkdir, readFile, realpath, symlink } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type Consumer, newConsumer } from './consumer.ts'
import { RUNTIMES } from './runtimes.ts'
import { ENTRIES, manifestOf, packAll, PACKAGES, type Tarballs } from './tarballs.ts'
import { succeed, WORKSPACE } from './workspace.ts'

const MAKES_POOLS = `
  const pools = [
    pg.createPool({ host: 'localhost', user: 'app' }),
    mysql.createPool({ host: 'localhost', user: 'app' }),
  ]
  console.log(JSON.stringify({
    names: pools.map((pool) => pool.constructor.name),
    stats: pools.map((pool) => pool.leasehold.stats().opened),
    driver: [pools[0] instanceof driver.Pool],
  }))
  for (const pool of pools) pool.end(() => {})
`
const POOLS = { names: ['GovernedPool', 'Pool'], stats: [0, 0], driver: [true] }

const FILES = {
  'require-all.cjs': `
    const entries = ${JSON.stringify(ENTRIES)}
    // An entry that takes the place of a module that is one function is that function.
    const namesOf = (module) => (typeof module === 'function' ? ['default'] : Object.keys(module))
    console.log(JSON.stringify(entries.map((entry) => namesOf(require(entry)).toSorted())))
  `,
  'import-all.mjs': `
    const entries = ${JSON.stringify(ENTRIES)}
    const modules = await Promise.all(entries.map((entry) => import(entry)))
    console.log(JSON.stringify(modules.map((module) => Object.keys(module).toSorted())))
  `,
  'pools.cjs': `
    const driver = require('pg')
    const pg = require('@leasehold/pg-adapter')
    const mysql = require('@leasehold/mysql-adapter')
    ${MAKES_POOLS}
  `,
  'pools.mjs': `
    import driver from 'pg'
    import * as pg from '@leasehold/pg-adapter'
    import * as mysql from '@leasehold/mysql-adapter'
    ${MAKES_POOLS}
  `,
  // As applications of serverless-mysql are written, either way.
  'serverless.cjs': `
    const mysql = require('@leasehold/mysql-adapter/serverless-mysql')({ config: 'mysql://app@localhost/shop' })
    const pg = require('@leasehold/pg-adapter/serverless')()
    console.log(JSON.stringify([mysql.getConfig(), pg.getClient(), mysql.escape("it's")]))
  `,
  'serverless.mjs': `
    import serverlessMysql from '@leasehold/mysql-adapter/serverless-mysql'
    import serverlessPg from '@leasehold/pg-adapter/serverless'
    const mysql = serverlessMysql({ config: 'mysql://app@localhost/shop' })
    console.log(JSON.stringify([mysql.getConfig(), serverlessPg().getClient(), mysql.escape("it's")]))
  `,
  'two-copies.mjs': `
    import { createRequire } from 'node:module'
    import * as pg from '@leasehold/pg-adapter'
    import * as mysql from '@leasehold/mysql-adapter'
    const require = createRequire(import.meta.url)
    const copies = [pg, mysql, require('@leasehold/pg-adapter'), require('@leasehold/mysql-adapter')]
    const errors = copies.map((copy) => {
      try {
        copy.createPool({ maxLease: 1 })
      } catch (error) {
        return error
      }
    })
    console.log(JSON.stringify({
      classes: new Set(copies.map((copy) => copy.LeaseholdError)).size,
      codes: errors.map((error) => error.code),
      recognised: copies.every((copy) => errors.every((error) => copy.LeaseholdError.is(error))),
      others: copies.some((copy) => copy.LeaseholdError.is(new Error('no'))),
    }))
  `,
  // Lists what an entry makes Node load: built-in modules by name, files by package.
  'loaded.mjs': `
    import { createRequire, isBuiltin, registerHooks } from 'node:module'
    const loaded = new Set()
    const note = (name) => {
      const inPackage = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(name)
      loaded.add(inPackage === null ? name : inPackage[1])
    }
    registerHooks({
      resolve(specifier, context, next) {
        const resolved = next(specifier, context)
        note(resolved.url)
        return resolved
      },
    })
    const [way, entry] = process.argv.slice(2)
    if (way === 'import') await import(entry)
    else {
      const require = createRequire(import.meta.url)
      require(entry)
      for (const file of Object.keys(require.cache)) note(file)
    }
    console.log(JSON.stringify([...loaded].map((name) => (isBuiltin(name) ? 'node:' : name)).toSorted()))
  `,
  // Lists what the packages ask of the AWS SDK: until a source is made, and once it has made a token.
  'token.mjs': `
    import { createRequire, registerHooks } from 'node:module'
    const asked = new Set()
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier.startsWith('@aws') && context.parentURL?.includes('/@leasehold/')) asked.add(specifier)
        return next(specifier, context)
      },
    })
    const require = createRequire(import.meta.url)
    const entry = '@leasehold/core/aws'
    const { iamToken } = process.argv[2] === 'import' ? await import(entry) : require(entry)
    const source = iamToken({ credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'of no use' } })
    const before = [...asked]
    const target = { host: 'db.abc.eu-west-1.rds.amazonaws.com', port: 5432, user: 'app' }
    const { password } = await source.get({ target, refusals: 0, signal: new AbortController().signal })
    console.log(JSON.stringify({ before, after: [...asked], signed: password.includes('X-Amz-Signature=') }))
  `,
}

let tarballs: Tarballs
let consumer: Consumer

beforeAll(async () => {
  tarballs = await packAll()
  consumer = await newConsumer(tarballs)
  await consumer.write(FILES)
})

afterAll(async () => {
  await consumer?.[Symbol.asyncDispose]()
  await tarballs?.[Symbol.asyncDispose]()
})

async function answer(program: string, args: readonly string[]): Promise<unknown> {
  return JSON.parse(await succeed(program, args, { cwd: consumer.folder }))
}

describe.each(RUNTIMES)('the packed packages under $runtime', ({ program, flags }) => {
  it('give the same names to require and to import', async () => {
    const required = (await answer(program, [...flags, 'require-all.cjs'])) as string[][]
    const imported = (await answer(program, [...flags, 'import-all.mjs'])) as string[][]
    expect(required).toEqual(imported)
    expect(required.map((names) => names.length > 0)).toEqual(ENTRIES.map(() => true))
  })

  it('make pools whether required or imported', async () => {
    expect(await answer(program, [...flags, 'pools.cjs'])).toEqual(POOLS)
    expect(await answer(program, [...flags, 'pools.mjs'])).toEqual(POOLS)
  })

  it('make serverless clients whether required or imported', async () => {
    const made = [{ host: 'localhost', user: 'app', database: 'shop' }, null, String.raw`'it\'s'`]
    expect(await answer(program, [...flags, 'serverless.cjs'])).toEqual(made)
    expect(await answer(program, [...flags, 'serverless.mjs'])).toEqual(made)
  })

  it('recognise an error that another copy of them raised', async () => {
    expect(await answer(program, [...flags, 'two-copies.mjs'])).toEqual({
      classes: 2,
      codes: ['INVALID_OPTIONS', 'INVALID_OPTIONS', 'INVALID_OPTIONS', 'INVALID_OPTIONS'],
      recognised: true,
      others: false,
    })
  })
})

describe.each(PACKAGES)('the README of %s', (name) => {
  it('has an example that runs', async () => {
    const specifier = manifestOf(name).name
    const text = await readFile(join(consumer.folder, 'node_modules', specifier, 'README.md'), 'utf8')
    const example = /^```js\n(.*?)^```$/msu.exec(text)?.[1]
    expect(example).toContain(`from '${specifier}'`)
    await consumer.write({ [`readme-${name}.mjs`]: example ?? '' })
    await succeed(process.execPath, [`readme-${name}.mjs`], { cwd: consumer.folder })
  })
})

describe.each(['require', 'import'])('what %s loads', (way) => {
  const loadedBy = async (entry: string): Promise<string[]> => {
    const names = (await answer(process.execPath, ['loaded.mjs', way, entry])) as string[]
    return [...new Set(names)].filter((name) => name !== 'node:')
  }

  it('is, for core, core alone', async () => {
    expect(await loadedBy('@leasehold/core')).toEqual(['@leasehold/core'])
    expect(await loadedBy('@leasehold/core/testing')).toEqual(['@leasehold/core'])
  })

  it('is, for credentials from AWS, core and a cache, and no AWS SDK', async () => {
    expect(await loadedBy('@leasehold/core/aws')).toEqual(['@leasehold/core', 'lru-cache'])
  })

  it('is, for an adapter, core and its own driver, never the other one nor an AWS SDK', async () => {
    const forPg = await loadedBy('@leasehold/pg-adapter')
    expect(forPg).toEqual(expect.arrayContaining(['@leasehold/core', '@leasehold/pg-adapter', 'pg']))
    expect(forPg).not.toContain('mysql2')

    const forMysql = await loadedBy('@leasehold/mysql-adapter')
    expect(forMysql).toEqual(
      expect.arrayContaining(['@leasehold/core', '@leasehold/mysql-adapter', 'mysql2']),
    )
    expect(forMysql).not.toContain('pg')

    expect([...forPg, ...forMysql].filter((name) => /^@(?:aws-sdk|smithy)\//u.test(name))).toEqual([])
  })

  it('leads nowhere but to installed packages', async () => {
    const everything = await Promise.all(ENTRIES.map(loadedBy))
    expect(everything.flat().filter((name) => name.startsWith('file:') || name.startsWith('/'))).toEqual([])
  })
})

describe.each(['require', 'import'])('beside an installed AWS SDK, %s', (way) => {
  beforeAll(async () => {
    const scope = join(consumer.folder, 'node_modules/@aws-sdk')
    const sdk = join(WORKSPACE, 'packages/core/node_modules/@aws-sdk/rds-signer')
    // Made once: the second of the two finds it there.
    const isNew = await mkdir(scope, { recursive: true })
    if (isNew !== undefined) await symlink(await realpath(sdk), join(scope, 'rds-signer'))
  })

  it('loads its signer for the first token, and not before', async () => {
    expect(await answer(process.execPath, ['token.mjs', way])).toEqual({
      before: [],
      after: ['@aws-sdk/rds-signer'],
      signed: true,
    })
  })
})
