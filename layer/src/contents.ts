/** Which files of a package run in a function: its code, its manifest and its licence. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

import type { Manifest, Placed } from './placement.ts'

const CODE = /\.(?:c|m)?js$|\.json$/u
/** One layer serves both architectures. */
const NATIVE = /\.(?:node|so|wasm)$/u
const LICENCE = /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/iu
/** At a package's top. Deeper down a name like these may be code. */
const LEFT_OUT =
  /^(?:node_modules|tests?|__tests__|docs?|examples?|bench(?:mark)?s?)$|^(?:tests?|bench(?:mark)?)\.js$/u
const TOOLING = /^(?:.*\.test\.js|tsconfig.*\.json|.*\.config\.(?:c|m)?js|package-lock\.json|\..*)$/u

/** Path in the package, with slashes, to bytes. */
export function filesOf(placed: Placed): Map<string, Uint8Array> {
  const { manifest, source } = placed
  const own = manifest.name.startsWith('@leasehold/')
  const files = new Map<string, Uint8Array>()
  for (const path of own ? walk(join(source, 'dist')) : walk(source)) {
    const name = relative(source, path).split(sep).join('/')
    files.set(name, readFileSync(path))
  }
  if (own) {
    files.set('LICENSE', readFileSync(join(source, 'LICENSE')))
    files.set('package.json', new TextEncoder().encode(publishedManifest(manifest)))
    const missing = targetsOf(manifest.publishConfig?.exports).find((target) => !files.has(target))
    if (missing !== undefined) {
      throw new Error(`${manifest.name} is not built, ${missing} is missing: run \`pnpm build\` first`)
    }
  }
  // Some packages print their licence in the README and nowhere else.
  const readme = join(source, 'README.md')
  if (![...files.keys()].some((name) => LICENCE.test(name)) && existsSync(readme)) {
    files.set('README.md', readFileSync(readme))
  }
  return files
}

function* walk(folder: string, top = true): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (top && LEFT_OUT.test(entry.name)) continue
    const path = join(folder, entry.name)
    if (NATIVE.test(entry.name)) throw new Error(`${path} is not plain JavaScript`)
    if (entry.isDirectory()) yield* walk(path, false)
    else if (LICENCE.test(entry.name) || (CODE.test(entry.name) && !TOOLING.test(entry.name))) yield path
  }
}

/** The files of code that a map of exports leads to. */
function targetsOf(exports: unknown): string[] {
  if (typeof exports === 'string') return CODE.test(exports) ? [exports.replace(/^\.\//u, '')] : []
  return Object.values(exports ?? {}).flatMap(targetsOf)
}

/** What of our manifest a run needs, as `pnpm pack` would publish it. */
function publishedManifest(manifest: Manifest): string {
  const { name, version, license, type, sideEffects, engines } = manifest as Manifest &
    Record<string, unknown>
  const exports = manifest.publishConfig?.exports
  return `${JSON.stringify({ name, version, license, type, sideEffects, exports, engines }, null, 2)}\n`
}
