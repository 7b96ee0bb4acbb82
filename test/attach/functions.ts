// Functions as they are written without a thought of Leasehold: in each module format, as they are and in bundles.
// With `look` in their event they answer by what a test has preloaded.
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { leasehold } from '@leasehold/attach/esbuild'
import { build } from 'esbuild'

export const KINDS = ['pg Pool', 'pg Client', 'mysql2 pool', 'mysql2 connection'] as const
export const BUNDLINGS = ['unbundled', 'esbuild', 'esbuild minified'] as const
export const FORMATS = ['ESM', 'CJS'] as const

export type Kind = (typeof KINDS)[number]
export type Bundling = (typeof BUNDLINGS)[number] | 'esbuild with the plugin'
export type Format = (typeof FORMATS)[number]

/** Module name, what is made of it once, and how it is asked. */
const SOURCES: Readonly<Record<Kind, readonly [module: string, makes: string, asks: string]>> = {
  'pg Pool': [
    'pg',
    "const pool = new driver.Pool({ ...target, idleTimeoutMillis: 60_000 }); pool.on('error', () => {})",
    'return (await pool.query(sql)).rows',
  ],
  'pg Client': [
    'pg',
    "const client = new driver.Client(target); client.on('error', () => {}); const connected = client.connect()",
    'await connected; return (await client.query(sql)).rows',
  ],
  'mysql2 pool': [
    'mysql2/promise',
    'const pool = driver.createPool(target)',
    'return (await pool.query(sql))[0]',
  ],
  'mysql2 connection': [
    'mysql2',
    "const connection = driver.createConnection(target); connection.on('error', () => {})",
    'return (await connection.promise().query(sql))[0]',
  ],
}

function sourceOf(kind: Kind, format: Format): string {
  const [module, makes, asks] = SOURCES[kind]
  const isEsm = format === 'ESM'
  return `
    ${isEsm ? `import driver from '${module}'` : `const driver = require('${module}')`}
    const target = JSON.parse(process.env.TARGET)
    ${makes}
    ${isEsm ? 'export const handler =' : 'exports.handler ='} async ({ sql = 'select 1 as one', look }) => {
      if (look !== undefined) return globalThis.look(look)
      ${asks}
    }
  `
}

const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

export interface Functions extends AsyncDisposable {
  readonly folder: string
  /** The handler's file, without its extension. */
  file(kind: Kind, bundling: Bundling, format: Format): string
}

/** Writes and bundles all of them. */
export async function writeFunctions(): Promise<Functions> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'leasehold-attach-')))
  const installed = fileURLToPath(new URL('../node_modules', import.meta.url))
  for (const name of ['pg', 'mysql2', '@opentelemetry']) {
    await mkdir(dirname(join(folder, 'node_modules', name)), { recursive: true })
    await symlink(await realpath(join(installed, name)), join(folder, 'node_modules', name))
  }
  const file: Functions['file'] = (kind, bundling, format) =>
    `${kind}-${bundling}-${format}`.replaceAll(' ', '-')
  for (const format of FORMATS) {
    const extension = format === 'ESM' ? 'mjs' : 'cjs'
    const entries = KINDS.map((kind) => ({
      kind,
      path: join(folder, `${file(kind, 'unbundled', format)}.${extension}`),
    }))
    for (const { kind, path } of entries) await writeFile(path, sourceOf(kind, format))
    for (const bundling of ['esbuild', 'esbuild minified', 'esbuild with the plugin'] as const) {
      await build({
        absWorkingDir: folder,
        entryPoints: entries.map(({ kind, path }) => ({ in: path, out: file(kind, bundling, format) })),
        outdir: folder,
        outExtension: { '.js': `.${extension}` },
        bundle: true,
        platform: 'node',
        external: ['pg-native'],
        minify: bundling !== 'esbuild',
        plugins: bundling === 'esbuild with the plugin' ? [leasehold()] : [],
        ...(format === 'ESM' ? { format: 'esm', banner: { js: REQUIRE } } : { format: 'cjs' }),
      })
    }
  }
  return { folder, file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
