/** Asks the AWS Parameters and Secrets extension, or the Secrets Manager Agent, on this machine. */

import type { Env } from '../env.ts'
import { type AskLocally, type LocalAnswer, openLocal } from './local-http.ts'
import type { AskForSecret, SecretAsk, SecretPlace } from './secret-reader.ts'

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
    open: async () => extensionAsker(secretId, await openLocal(env)),
  }
}

function extensionAsker(secretId: string, askLocally: AskLocally): AskForSecret {
  /** Agents know `refreshNow`; an extension that refuses it is not asked again. */
  let knowsRefresh = true
  return async ({ versionStage, isForced, signal }: SecretAsk): Promise<string> => {
    const query = new URLSearchParams({ secretId, versionStage })
    const ask = (): Promise<LocalAnswer> => askLocally(`/secretsmanager/get?${query.toString()}`, signal)
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

function problemIn({ status, body }: LocalAnswer): string {
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
