import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

const CORE = fileURLToPath(new URL('../..', import.meta.url))

const ENV = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'never-shown',
  AWS_REGION: 'eu-west-1',
}

/** Packages in the process after `code`, by the files it has loaded, and the modules of Node that it asked for. */
async function loadedBy(code: string): Promise<string[]> {
  const script = `
    import { registerHooks } from 'node:module'
    const names = new Set()
    registerHooks({
      resolve(specifier, context, next) {
        const resolved = next(specifier, context)
        const inPackage = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(resolved.url)
        if (inPackage !== null) names.add(inPackage[1])
        else if (resolved.url.startsWith('node:')) names.add(resolved.url)
        return resolved
      },
    })
    const { cloudWatch, emf, iamToken, secret } = await import('@leasehold/core/aws')
    const signal = new AbortController().signal
    const target = { host: 'db.abc.eu-west-1.rds.amazonaws.com', port: 5432, user: 'app' }
    ${code}
    console.log(JSON.stringify([...names]))
  `
  const flags = ['--conditions=@leasehold/source', '--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: CORE, env: ENV })
  return JSON.parse(stdout) as string[]
}

const clients = (names: readonly string[]): string[] =>
  names.filter((name) => /^@aws-sdk\/(?:client-|rds-signer|dsql-signer)/.test(name))

const ofAws = (names: readonly string[]): string[] =>
  names.filter((name) => /^@(?:aws[a-z-]*|smithy)\//.test(name))

describe('of the AWS SDK', () => {
  it('nothing is loaded by importing the entry, nor by making sources and sinks: a cache is', async () => {
    const code = `iamToken(); secret('x'); secret('x', { source: 'extension' })
      emf({ namespace: 'Shop' }); await cloudWatch({ namespace: 'Shop' }).flush(true)`
    const names = await loadedBy(code)
    expect(names.filter((name) => !name.startsWith('node:'))).toEqual(['lru-cache'])
    // It takes longer to load than the rest of the entry.
    expect(names).not.toContain('node:http')
  })

  it('the signer alone is loaded by a token', async () => {
    const names = await loadedBy('await iamToken().get({ target, refusals: 0, signal })')
    expect(clients(names)).toEqual(['@aws-sdk/rds-signer'])
  })

  it('nothing is loaded by the extension', async () => {
    const code = `await secret('x', { source: 'extension', limitMs: 300 })
      .get({ target, refusals: 0, signal }).catch(() => undefined)`
    const names = await loadedBy(code)
    expect(ofAws(names)).toEqual([])
    expect(names).toContain('node:http')
  })

  it('the client of Secrets Manager alone is loaded by a secret', async () => {
    const code = `await secret('x', { endpoint: 'http://127.0.0.1:1', limitMs: 300 })
      .get({ target, refusals: 0, signal }).catch(() => undefined)`
    expect(clients(await loadedBy(code))).toEqual(['@aws-sdk/client-secrets-manager'])
  })

  it('the client of CloudWatch alone is loaded by a metric', async () => {
    const code = `const metrics = cloudWatch({ namespace: 'Shop', endpoint: 'http://127.0.0.1:1', limitMs: 300 })
      metrics.record('Pressure', 1, 1, { Fleet: 'a', Engine: 'b', Target: 'c' })
      await metrics.flush(true)`
    expect(clients(await loadedBy(code))).toEqual(['@aws-sdk/client-cloudwatch'])
  })
})
