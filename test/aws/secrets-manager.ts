/** A fake that speaks Secrets Manager's protocol (JSON 1.1 over HTTP), on 127.0.0.1. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

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

interface Version {
  readonly id: string
  readonly text: string
  readonly isBinary: boolean
}

interface Stored {
  readonly versions: Version[]
  readonly stages: Map<string, string>
}

const REFUSALS = {
  throttled: [400, 'ThrottlingException', 'Rate exceeded'],
  internal: [500, 'InternalServiceError', 'An error occurred on the server side.'],
  unavailable: [503, 'ServiceUnavailable', 'try later'],
  denied: [400, 'AccessDeniedException', 'User is not authorized to perform: secretsmanager:GetSecretValue'],
  undecryptable: [400, 'DecryptionFailure', 'Secrets Manager can not decrypt the protected secret text'],
  deleted: [400, 'InvalidRequestException', 'The secret was marked for deletion.'],
} as const

export class FakeSecretsManager {
  /** Every request that arrived, in order. */
  readonly requests: SecretRequest[] = []
  readonly #server: Server
  readonly #secrets = new Map<string, Stored>()
  readonly #mishaps: Mishap[] = []
  #always: Mishap | undefined
  #versionCount = 0

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error))
    })
  }

  static async start(): Promise<FakeSecretsManager> {
    const fake = new FakeSecretsManager()
    await new Promise<void>((resolve) => void fake.#server.listen(0, '127.0.0.1', resolve))
    return fake
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get requestCount(): number {
    return this.requests.length
  }

  /** Stages asked for, in order: the short form of the log. */
  get stages(): string[] {
    return this.requests.map((request) => request.versionStage)
  }

  /** Stores a version as AWSCURRENT; the one before becomes AWSPREVIOUS. */
  put(secretId: string, value: string | object, isBinary = false): void {
    const stored = this.#store(secretId)
    const before = stored.stages.get('AWSCURRENT')
    if (before !== undefined) stored.stages.set('AWSPREVIOUS', before)
    stored.stages.set('AWSCURRENT', this.#add(stored, value, isBinary))
  }

  /** A rotation's first step: a version that nobody uses yet. */
  createPending(secretId: string, value: string | object): void {
    const stored = this.#store(secretId)
    stored.stages.set('AWSPENDING', this.#add(stored, value, false))
  }

  /** A rotation's last step. The version keeps AWSPENDING too, unless it is taken off. */
  finishRotation(secretId: string, keepsPending = true): void {
    const { stages } = this.#store(secretId)
    const pending = stages.get('AWSPENDING')
    if (pending === undefined) throw new Error('nothing is pending')
    const before = stages.get('AWSCURRENT')
    if (before !== undefined) stages.set('AWSPREVIOUS', before)
    stages.set('AWSCURRENT', pending)
    if (!keepsPending) stages.delete('AWSPENDING')
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

  #store(secretId: string): Stored {
    let stored = this.#secrets.get(secretId)
    if (stored === undefined) {
      stored = { versions: [], stages: new Map() }
      this.#secrets.set(secretId, stored)
    }
    return stored
  }

  #add(stored: Stored, value: string | object, isBinary: boolean): string {
    this.#versionCount += 1
    const id = `00000000-0000-4000-8000-${String(this.#versionCount).padStart(12, '0')}`
    stored.versions.push({ id, text: typeof value === 'string' ? value : JSON.stringify(value), isBinary })
    return id
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const ask = await askIn(request)
    if (ask === undefined) {
      refuse(response, 400, 'UnknownOperationException', 'only GetSecretValue is spoken here')
      return
    }
    this.requests.push(ask)
    // What is there when the request arrives, not when the answer leaves.
    const answer = this.#answer(ask)
    const mishap = this.#mishaps.shift() ?? this.#always
    if (mishap?.kind === 'slow') await mishap.until
    else if (mishap?.kind === 'cut') {
      request.socket.destroy()
      return
    } else if (mishap?.kind === 'garbled') {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(mishap.body)
      return
    } else if (mishap !== undefined) {
      const [status, name, message] = REFUSALS[mishap.kind]
      refuse(response, status, name, message)
      return
    }
    if (answer === undefined) {
      const message = `Secrets Manager can't find the specified secret value for staging label: ${ask.versionStage}`
      refuse(response, 400, 'ResourceNotFoundException', message)
      return
    }
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer))
  }

  #answer({ secretId, versionStage }: SecretRequest): object | undefined {
    const stored = this.#secrets.get(secretId)
    const id = stored?.stages.get(versionStage)
    const version = stored?.versions.find((other) => other.id === id)
    if (stored === undefined || version === undefined) return undefined
    return {
      ARN: secretId,
      Name: secretId,
      VersionId: version.id,
      ...(version.isBinary
        ? { SecretBinary: Buffer.from(version.text).toString('base64') }
        : { SecretString: version.text }),
      VersionStages: [...stored.stages].flatMap(([stage, of]) => (of === version.id ? [stage] : [])),
    }
  }
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
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': name })
  response.end(JSON.stringify({ __type: name, message }))
}
