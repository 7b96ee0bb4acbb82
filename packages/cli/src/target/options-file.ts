/** Reads the application's own options from a file: JSON, or a module that exports `options`. */

import { readFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { codeOf, type CredentialSource } from '@leasehold/core'
import { iamToken, type IamTokenOptions, secret } from '@leasehold/core/aws'

import type { Around, PoolOptions } from './target.ts'
import { UsageError } from './usage.ts'

/**
 * What is in `file`. JSON can't hold a source of credentials, so there it is described:
 * `{ "iam": true }`, `{ "iam": { … } }` or `{ "secret": "arn:…", … }`.
 *
 * @throws UsageError with nothing of the file's contents in it
 */
export async function readOptionsFile(file: string, around: Around): Promise<PoolOptions> {
  const options = extname(file) === '.json' ? await readJson(file, around) : await readModule(file)
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new UsageError(`${file} holds no object with options`)
  }
  return options as PoolOptions
}

async function readJson(file: string, around: Around): Promise<unknown> {
  const text = await readText(file)
  let options: unknown
  try {
    options = JSON.parse(text)
  } catch {
    // The parser's error quotes what it could not read, which may be a password.
    throw new UsageError(`${file} is not JSON`)
  }
  if (typeof options !== 'object' || options === null || !('credentials' in options)) return options
  return { ...options, credentials: described(options.credentials, file, around) }
}

function described(credentials: unknown, file: string, around: Around): CredentialSource {
  const { iam, secret: secretId, ...rest } = (credentials ?? {}) as Record<string, unknown>
  if (iam !== undefined) return iamToken(iam === true ? {} : (iam as IamTokenOptions), around)
  if (typeof secretId === 'string') return secret(secretId, rest, around)
  throw new UsageError(
    `\`credentials\` in ${file} must be { "iam": true }, { "iam": { … } } or { "secret": "arn:…" }`,
  )
}

async function readModule(file: string): Promise<unknown> {
  const module = (await import(pathToFileURL(resolve(file)).href).catch((error: unknown) => {
    throw new UsageError(`${file} cannot be loaded (${nameOf(error)})`, { cause: error })
  })) as { options?: unknown; default?: unknown }
  const options = module.options ?? module.default
  if (options === undefined) throw new UsageError(`${file} exports no \`options\``)
  return options
}

/** The text of a file that was named on the command line. @throws UsageError */
export async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${file} cannot be read (${codeOf(error)})`)
  })
}

function nameOf(error: unknown): string {
  const code = codeOf(error)
  return code === 'unknown' && error instanceof Error ? error.name : code
}
