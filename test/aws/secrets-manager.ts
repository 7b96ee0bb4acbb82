/**
 * A fake that speaks Secrets Manager's protocol (JSON 1.1 over HTTP), on 127.0.0.1, and fails on demand. That
 * it answers as others think Secrets Manager does, secrets.test.ts shows: the same cases run on an emulator.
 */

import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

import { LoopbackServer } from './loopback.ts'
import { type Refusal, type SecretVersion, StoredSecrets } from './stored-secrets.ts'

export interface SecretRequest {
  readonly secretId: string
  readonly versionStage: string
  readonly sessionToken: string | undefined
  /** The signature's scope: access key, date, region, service. */
  readonly scope: string | undefined
}

/** What goes wrong with the next request. */
export type Mishap =
  | { readonly kind: 'throttled' | 'internal' | 'unavailable' | 'denied' | 'undecryptable' | 'deleted' }
  /** Answered when `release` is called. */
  | { readonly kind: 'slow'; readonly until: Promise<void> }
  | { readonly kind: 'cut' }
  /** 200, and a body that is not the protocol's. */
  | { readonly kind: 'garbled'; readonly body: string }

const REFUSALS = {
  throttled: [400, 'ThrottlingException', 'Rate exceeded'],
  internal: [500, 'InternalServiceError', 'An error occurred on the server side.'],
  unavailable: [503, 'ServiceUnavailable', 'try later'],
  denied: [400, 'AccessDeniedException', 'User is not authorized to perform: secretsmanager:GetSecretValue'],
  undecryptable: [400, 'DecryptionFailure', 'Secrets Manager can not decrypt the protected secret text'],
  deleted: [
    400,
    'InvalidRequestException',
    "You can't perform this operation on the secret because it was marked for deletion.",
  ],
} as const

export class FakeSecretsManager {
  /** Every request that arrived, in order. */
  readonly requests: SecretRequest[] = []
  readonly #server: LoopbackServer
  readonly #secrets = new StoredSecrets()
  readonly #mishaps: Mishap[] = []
  #always: Mishap | undefined

  private constructor() {
    this.#server = new LoopbackServer((request, response) => this.#serve(request, response))
  }

  static async start(): Promise<FakeSecretsManager> {
    const fake = new FakeSecretsManager()
    await fake.#server.start()
    return fake
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }

  get endpoint(): string {
    return this.#server.endpoint
  }

  get requestCount(): number {
    return this.requests.length
  }

  /** Stages asked for, in order: the short form of the log. */
  get stages(): string[] {
    return this.requests.map((request) => request.versionStage)
  }

  /** Stores a version as AWSCURRENT; the one before becomes AWSPREVIOUS. Returns the secret's ARN. */
  put(secretId: string, value: string | object, isBinary = false): string {
    return this.#secrets.put(secretId, value, isBinary)
  }

  /** A rotation's first step: a version that nobody uses yet. */
  createPending(secretId: string, value: string | object): void {
    this.#secrets.createPending(secretId, value)
  }

  /** A rotation's last step. The version keeps AWSPENDING too, unless it is taken off. */
  finishRotation(secretId: string, keepsPending = true): void {
    this.#secrets.finishRotation(secretId, keepsPending)
  }

  /** Schedules the secret for deletion: it is there, and cannot be read. */
  delete(secretId: string): void {
    this.#secrets.delete(secretId)
  }

  /** The next requests go wrong, one after the other. */
  next(...mishaps: readonly Mishap[]): void {
    this.#mishaps.push(...mishaps)
  }

  /** Every request goes wrong, until told otherwise by undefined. */
  always(mishap: Mishap | undefined): void {
    this.#always = mishap
  }

  /** Resolves once `count` requests have arrived. */
  async received(count: number): Promise<void> {
    while (this.requests.length < count) await new Promise((resolve) => setImmediate(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const ask = await askIn(request)
    if (ask === undefined) {
      refuse(response, 400, 'UnknownOperationException', 'only GetSecretValue is spoken here')
      return
    }
    this.requests.push(ask)
    // What is there when the request arrives, not when the answer leaves.
    const answer = this.#secrets.read(ask.secretId, ask.versionStage)
    const mishap = this.#mishaps.shift() ?? this.#always
    if (mishap?.kind === 'slow') await mishap.until
    else if (mishap?.kind === 'cut') {
      request.socket.destroy()
      return
    } else if (mishap?.kind === 'garbled') {
      response.writeHead(200, headers()).end(mishap.body)
      return
    } else if (mishap !== undefined) {
      const [status, name, message] = REFUSALS[mishap.kind]
      refuse(response, status, name, message)
      return
    }
    if (isRefusal(answer)) {
      refuse(response, 400, answer.name, answer.message)
      return
    }
    response.writeHead(200, headers()).end(JSON.stringify(answer))
  }
}

function isRefusal(answer: SecretVersion | Refusal): answer is Refusal {
  return 'message' in answer
}

function headers(): Record<string, string> {
  return { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() }
}

async function askIn(request: IncomingMessage): Promise<SecretRequest | undefined> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  if (request.url?.startsWith('/secretsmanager/get?') === true) return extensionAskIn(request)
  if (request.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue') return undefined
  const body = JSON.parse(Buffer.concat(chunks).toString()) as { SecretId: string; VersionStage?: string }
  const token = request.headers['x-amz-security-token']
  return {
    secretId: body.SecretId,
    versionStage: body.VersionStage ?? 'AWSCURRENT',
    sessionToken: typeof token === 'string' ? token : undefined,
    scope: /Credential=([^,]+)/.exec(request.headers.authorization ?? '')?.[1],
  }
}

/** The same server answers as the AWS Parameters and Secrets extension does, without its cache. */
function extensionAskIn(request: IncomingMessage): SecretRequest {
  const query = new URL(request.url ?? '/', 'http://localhost').searchParams
  const token = request.headers['x-aws-parameters-secrets-token']
  return {
    secretId: query.get('secretId') ?? '',
    versionStage: query.get('versionStage') ?? 'AWSCURRENT',
    sessionToken: typeof token === 'string' ? token : undefined,
    scope: query.has('refreshNow') ? 'refreshNow' : undefined,
  }
}

function refuse(response: ServerResponse, status: number, name: string, message: string): void {
  response.writeHead(status, { ...headers(), 'x-amzn-errortype': name })
  response.end(JSON.stringify({ __type: name, message }))
}
