// The HTTP server an environment finds at AWS_LAMBDA_RUNTIME_API: one for each, on a port of its own.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** Answers one request, by `reply()` at once or by keeping the response until there is something to say. */
export type Route = (call: ApiCall) => void

export interface ApiCall {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Empty for GET. */
  readonly body: Buffer
  /** The request id in the path, where there is one. */
  readonly requestId: string
}

/** Routes by method and path; `*` stands for the request id. */
export type Routes = Readonly<Record<string, Route>>

export class ApiServer {
  readonly #server
  #port = 0

  constructor(routes: Routes) {
    this.#server = createServer((request, response) => serve(routes, request, response))
    // A frozen client says nothing for as long as it likes.
    this.#server.keepAliveTimeout = 0
    this.#server.requestTimeout = 0
    this.#server.headersTimeout = 0
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    const address = this.#server.address()
    if (typeof address === 'object' && address !== null) this.#port = address.port
  }

  /** What goes into `AWS_LAMBDA_RUNTIME_API`. */
  get hostAndPort(): string {
    return `127.0.0.1:${this.#port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

export function reply(
  response: ServerResponse,
  status: number,
  body: string | Buffer | object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(bytes)),
    ...headers,
  })
  response.end(bytes)
}

export function replyWithError(
  response: ServerResponse,
  status: number,
  errorType: string,
  message: string,
): void {
  reply(response, status, { errorType, errorMessage: message })
}

export function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

const invocationPath = /^(\/2018-06-01\/runtime\/invocation\/)([^/]+)(\/(?:response|error))$/

function serve(routes: Routes, request: IncomingMessage, response: ServerResponse): void {
  const [path = ''] = (request.url ?? '').split('?')
  const withId = invocationPath.exec(path)
  const pattern = withId === null ? path : `${withId[1]}*${withId[3]}`
  const requestId = withId?.[2] ?? ''
  const route = routes[`${request.method} ${pattern}`]
  if (route === undefined) return replyWithError(response, 404, 'NotFound', `no such API: ${path}`)
  if (request.method === 'GET') return route({ request, response, body: Buffer.alloc(0), requestId })
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => route({ request, response, body: Buffer.concat(chunks), requestId }))
}
