/** Secrets and tokens over HTTP, on this environment's loopback and for those who know its session token. */

import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

import {
  type Env,
  isOfService,
  LeaseholdError,
  type LimitedLog,
  localPort,
  localToken,
  TOKEN_PATH,
} from './core.ts'
import type { SecretDesk } from './secret-desk.ts'
import type { TokenDesk } from './token-desk.ts'
import { askIn } from './token-query.ts'

const SECRET_PATH = '/secretsmanager/get'
const MOST_CONNECTIONS = 1_000

interface Reply {
  readonly status: number
  readonly body: string
}

export interface HttpParts {
  readonly env: Env
  readonly log: LimitedLog
  readonly secrets: SecretDesk
  readonly tokens: TokenDesk
}

export class HttpDoor {
  readonly #parts: HttpParts
  readonly #server: Server
  readonly #token: Buffer | undefined

  constructor(parts: HttpParts) {
    this.#parts = parts
    const token = localToken(parts.env)
    this.#token = token === '' ? undefined : digestOf(token)
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.maxConnections = MOST_CONNECTIONS
  }

  /** Resolves once it listens, or has said that it can't: the rest of the sidecar goes on without. Never rejects. */
  listen(): Promise<void> {
    return new Promise((resolve) => {
      const failed = ({ code }: NodeJS.ErrnoException): void => {
        const why = code === 'EADDRINUSE' ? ': another extension has the port' : ''
        this.#parts.log.once('port', `no secrets and tokens from the sidecar (${code ?? 'error'})${why}`)
        resolve()
      }
      this.#server.on('error', failed)
      try {
        this.#server.listen({ port: localPort(this.#parts.env), host: '127.0.0.1' }, resolve)
      } catch (error) {
        // A port that is none is thrown.
        failed(error as NodeJS.ErrnoException)
      }
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume()
    response.on('error', () => undefined)
    const { status, body } = await this.#replyTo(request)
    // Nothing of an answer is written anywhere else.
    response
      .writeHead(status, { 'content-type': status === 200 ? 'application/json' : 'text/plain' })
      .end(body)
  }

  async #replyTo(request: IncomingMessage): Promise<Reply> {
    if (!this.#knows(request)) return { status: 403, body: "the token is missing or not this environment's" }
    // A request that somebody passed on may be one that somebody outside asked for.
    if (request.headers['x-forwarded-for'] !== undefined) return { status: 400, body: 'a forwarded request' }
    if (request.method !== 'GET') return { status: 405, body: 'only GET is spoken here' }
    try {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
      if (pathname === SECRET_PATH) return await this.#secret(searchParams)
      if (pathname === TOKEN_PATH) return await this.#tokenFor(searchParams)
      return { status: 404, body: 'no such path' }
    } catch (error) {
      return refusalOf(error)
    }
  }

  #knows({ headers }: IncomingMessage): boolean {
    const given = headers['x-aws-parameters-secrets-token']
    return (
      this.#token !== undefined && typeof given === 'string' && timingSafeEqual(this.#token, digestOf(given))
    )
  }

  async #secret(query: URLSearchParams): Promise<Reply> {
    const secretId = query.get('secretId')
    if (secretId === null || secretId === '') return { status: 400, body: '`secretId` is missing' }
    const versionStage = query.get('versionStage') ?? 'AWSCURRENT'
    const versionId = query.get('versionId') ?? undefined
    const isForced = query.get('refreshNow') === 'true'
    return {
      status: 200,
      body: await this.#parts.secrets.read({ secretId, versionStage, versionId }, isForced),
    }
  }

  async #tokenFor(query: URLSearchParams): Promise<Reply> {
    const ask = askIn(query)
    if (ask === undefined)
      return { status: 400, body: 'a token needs `service`, `host`, `port` and `region`' }
    const { token, lifeMs } = await this.#parts.tokens.get(ask)
    return { status: 200, body: JSON.stringify({ Token: token, LifeMs: lifeMs }) }
  }
}

/** Of the same length whatever was given. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** Not 400, by which clients tell who does not know `refreshNow`: they would ask for what was refused. */
const FAILED_DEPENDENCY = 424

/** The message names the service's error, by which the asker judges; it has nothing secret in it. */
function refusalOf(error: unknown): Reply {
  if (!LeaseholdError.is(error)) return { status: 500, body: 'the sidecar failed' }
  if (error.code === 'CREDENTIALS_UNAVAILABLE') return { status: 500, body: error.message }
  const { cause } = error
  return { status: isOfService(cause) ? 400 : FAILED_DEPENDENCY, body: error.message }
}
