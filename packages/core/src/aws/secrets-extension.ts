/** Asks the AWS Parameters and Secrets extension, or the Secrets Manager Agent, on this machine. */

import type { request } from 'node:http'

import type { Env } from '../env.ts'
import type { AskForSecret, SecretAsk, SecretPlace } from './secret-reader.ts'

const DEFAULT_PORT = 2773

/** More than Secrets Manager's own 64 KiB, escaped and wrapped. */
const MOST_BYTES = 512 * 1024

type Request = typeof request

interface Answer {
  readonly status: number
  readonly body: string
}

/** Shaped as the SDK's errors are, so that one place judges both. The body is not kept. */
class ExtensionError extends Error {
  readonly $fault: 'client' | 'server'

  constructor(name: string, status: number) {
    super(`the extension answered ${status}`)
    this.name = name
    this.$fault = status >= 500 || status === 429 ? 'server' : 'client'
  }
}

export function extensionPlace(secretId: string, env: Env): SecretPlace {
  return {
    what: `the secret \`${secretId}\` from the extension`,
    ifUnavailable: 'has the function the layer of the AWS Parameters and Secrets extension?',
    open: async () => {
      // On first use: it takes longer to load than the rest of the entry, and a token has no use for it.
      const http = await import('node:http')
      return extensionAsker(secretId, env, http.request)
    },
  }
}

function extensionAsker(secretId: string, env: Env, send: Request): AskForSecret {
  /** Agents know `refreshNow`; an extension that refuses it is not asked again. */
  let knowsRefresh = true
  return async ({ versionStage, isForced, signal }: SecretAsk): Promise<string> => {
    const port = Number(env['PARAMETERS_SECRETS_EXTENSION_HTTP_PORT'] || DEFAULT_PORT)
    // SnapStart leaves the first of them unset.
    const token = env['AWS_SESSION_TOKEN'] || env['AWS_CONTAINER_AUTHORIZATION_TOKEN'] || ''
    const query = new URLSearchParams({ secretId, versionStage })
    const ask = (): Promise<Answer> =>
      get(send, port, `/secretsmanager/get?${query.toString()}`, token, signal)
    if (isForced && knowsRefresh) query.set('refreshNow', 'true')
    let answer = await ask()
    if (answer.status === 400 && query.has('refreshNow') && nameIn(answer.body) === undefined) {
      query.delete('refreshNow')
      answer = await ask()
      if (answer.status === 200) knowsRefresh = false
    }
    if (answer.status !== 200) throw new ExtensionError(problemIn(answer), answer.status)
    return textIn(answer.body)
  }
}

function get(send: Request, port: number, path: string, token: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // A connection of its own: one kept over a freeze would be dead.
    const options = { host: 'localhost', port, path, signal, agent: false }
    const headers = { 'x-aws-parameters-secrets-token': token }
    const asked = send({ ...options, headers }, (response) => {
      const chunks: Buffer[] = []
      let byteCount = 0
      response.on('data', (chunk: Buffer) => {
        byteCount += chunk.length
        if (byteCount > MOST_BYTES) asked.destroy(new ExtensionError('an answer too long', 400))
        else chunks.push(chunk)
      })
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') })
      })
      response.on('error', reject)
    })
    asked.on('error', reject)
    asked.end()
  })
}

function problemIn({ status, body }: Answer): string {
  const name = nameIn(body)
  if (name !== undefined) return name
  // During a cold start, until it has registered.
  if (status === 400 && /not ready/i.test(body)) return 'ServiceUnavailable'
  return `HTTP ${status}`
}

function nameIn(body: string): string | undefined {
  return /\b(?:[A-Z][A-Za-z]+Exception|DecryptionFailure|InternalServiceError|Throttling)\b/.exec(body)?.[0]
}

/** The parser's error would quote the answer. */
function textIn(body: string): string {
  let answer: { SecretString?: unknown; SecretBinary?: unknown } | null | undefined
  try {
    answer = JSON.parse(body) as typeof answer
  } catch {
    throw new ExtensionError('an answer that is no JSON', 400)
  }
  if (typeof answer?.SecretString === 'string') return answer.SecretString
  if (typeof answer?.SecretBinary === 'string') return Buffer.from(answer.SecretBinary, 'base64').toString()
  throw new ExtensionError('an answer without a secret', 400)
}
