import { build, type BuildResult, type Format } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type Consumer, newConsumer } from './consumer.ts'
import { packAll, type Tarballs } from './tarballs.ts'
import { succeed } from './workspace.ts'

/** Nothing listens there, so the pool answers with the driver's own error. */
const NOWHERE = "host: '127.0.0.1', port: 1, resumeBudgetMs: 0, logger: { warn() {}, error() {} }"

const HANDLERS = {
  'pg-adapter': `
    import { createPool, failureDetails } from '@leasehold/pg-adapter'
    const pool = createPool({ ${NOWHERE} })
    const ask = () => pool.query('select 1')
    // How Drizzle tells a pool from a client when the driver is not its own copy.
    const looksLikeAPool = Object.getPrototypeOf(pool).constructor.name.includes('Pool')
  `,
  'mysql-adapter': `
    import { createPool, failureDetails } from '@leasehold/mysql-adapter'
    const pool = createPool({ ${NOWHERE} })
    const ask = () => pool.promise().query('select 1')
    // The class is the driver's own, whose name a minifier shortens; libraries look for the method.
    const looksLikeAPool = typeof pool.promise === 'function'
  `,
}

const HANDLER = `
  export const handler = async () => {
    try {
      await ask()
      return { looksLikeAPool }
    } catch (error) {
      return { looksLikeAPool, code: error.code, kind: failureDetails(error)?.kind }
    }
  }
`

/** Drivers are CommonJS and \`require\` Node's modules, which an ESM bundle lacks without this line. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

const FORMATS: { format: Format; extension: string }[] = [
  { format: 'cjs', extension: 'cjs' },
  { format: 'esm', extension: 'mjs' },
]

let tarballs: Tarballs
let consumer: Consumer

beforeAll(async () => {
  tarballs = await packAll()
  consumer = await newConsumer(tarballs)
  for (const [name, text] of Object.entries(HANDLERS))
    await consumer.write({ [`${name}.mjs`]: text + HANDLER })
  await consumer.write({
    'invoke.mjs': `
      const { handler } = await import(process.argv[2])
      console.log(JSON.stringify(await handler({})))
      process.exit(0)
    `,
  })
})

afterAll(async () => {
  await consumer?.[Symbol.asyncDispose]()
  await tarballs?.[Symbol.asyncDispose]()
})

async function bundle(name: string, format: Format, file: string): Promise<BuildResult> {
  return build({
    absWorkingDir: consumer.folder,
    entryPoints: [`${name}.mjs`],
    outfile: file,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node22',
    format,
    external: ['pg-native'],
    banner: { js: format === 'esm' ? REQUIRE : '' },
    logLevel: 'silent',
    metafile: true,
  })
}

describe.each(Object.keys(HANDLERS))('a handler that uses %s', (name) => {
  it.each(FORMATS)('runs from one minified $format file, its pool still known as one', async (output) => {
    const file = `bundles/${name}.${output.extension}`
    const { warnings, metafile } = await bundle(name, output.format, file)
    expect(warnings).toEqual([])
    const other = name === 'pg-adapter' ? '/mysql2/' : '/pg/'
    expect(Object.keys(metafile?.inputs ?? {}).filter((input) => input.includes(other))).toEqual([])

    const outcome = await succeed(process.execPath, ['invoke.mjs', `./${file}`], { cwd: consumer.folder })
    expect(JSON.parse(outcome)).toEqual({
      looksLikeAPool: true,
      code: 'ECONNREFUSED',
      kind: 'starting',
    })
  })
})

describe('a handler with credentials of AWS, where no SDK is installed', () => {
  const FROM_AWS = {
    token: "iamToken({ credentials: { accessKeyId: 'AKID', secretAccessKey: 'never shown' } })",
    secret: "secret('shop', { region: 'eu-west-1' })",
  }
  async function asked(name: keyof typeof FROM_AWS, output: (typeof FORMATS)[number]): Promise<unknown> {
    await consumer.write({
      [`${name}.mjs`]: `
        import { iamToken, secret } from '@leasehold/core/aws'
        const target = { host: 'db.abc.eu-west-1.rds.amazonaws.com', port: 5432, user: 'app' }
        export const handler = async () => {
          try {
            const { password } = await ${FROM_AWS[name]}
              .get({ target, refusals: 0, signal: new AbortController().signal })
            return { signed: /X-Amz-Signature=[0-9a-f]{64}/.test(password) }
          } catch ({ code, message }) {
            return { code, message }
          }
        }
      `,
    })
    const file = `bundles/${name}.${output.extension}`
    const { warnings } = await bundle(name, output.format, file)
    expect(warnings).toEqual([])
    // The package manager's own folders are not the function's.
    const where = { cwd: consumer.folder, env: { NODE_PATH: '' } }
    const outcome = await succeed(process.execPath, ['invoke.mjs', `./${file}`], where)
    return JSON.parse(outcome)
  }

  it.each(FORMATS)('is bundled as $format without a warning, and signs its token itself', async (output) => {
    expect(await asked('token', output)).toEqual({ signed: true })
  })

  it.each(FORMATS)('is bundled as $format without a warning, and says what it misses', async (output) => {
    expect(await asked('secret', output)).toMatchObject({
      code: 'CREDENTIALS_INVALID',
      message: expect.stringContaining('cannot find `@aws-sdk/client-secrets-manager`') as string,
    })
  })
})
