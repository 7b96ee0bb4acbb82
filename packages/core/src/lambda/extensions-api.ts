/** Lambda's Extensions API, as far as an extension inside the runtime's process may use it, and the sidecar needs it. */

import type { IncomingMessage, RequestOptions } from 'node:http'

// As `require` has it. An import reads every member of the module, and some of them load an HTTP client that nobody
// here uses: 30 ms of a processor, in every cold start.
const { Agent, request } = process.getBuiltinModule('node:http')

const PATH = '/2020-01-01/extension'
/** An event is a few hundred bytes. */
const MOST_BYTES = 64 * 1024
/** Not the layer's sidecar, which has the name of its file. */
const NAME = 'leasehold-in-process'

/** What `/event/next` answers with. */
export interface ExtensionEvent {
  /** `INVOKE`; `SHUTDOWN` goes to external extensions alone. */
  readonly eventType: string
  readonly requestId?: string
  readonly deadlineMs?: number
}

interface Answer {
  readonly status: number
  readonly id: string | undefined
  readonly body: string
}

export class ExtensionsApi {
  readonly #place: Pick<RequestOptions, 'host' | 'port' | 'agent'>
  readonly #name: string

  /**
   * @param hostAndPort `AWS_LAMBDA_RUNTIME_API`
   * @param name an external extension has the name of its file
   */
  constructor(hostAndPort: string, name: string = NAME) {
    this.#name = name
    const [host = '', port = '80'] = hostAndPort.split(':')
    // A socket of its own: the answer to `/event/next` may take hours.
    this.#place = { host, port, agent: new Agent({ keepAlive: true, maxSockets: 1 }) }
  }

  /**
   * Resolves to the identifier. Rejects where registration is refused, closed or not there. Has no limit of its own,
   * and does not keep the process alive by itself.
   */
  async register(events: readonly string[]): Promise<string> {
    const headers = { 'lambda-extension-name': this.#name, 'content-type': 'application/json' }
    const { status, id, body } = await this.#send('POST', '/register', headers, JSON.stringify({ events }))
    if (status === 200 && id !== undefined) return id
    throw new Error(`registration was answered with ${status}${errorTypeIn(body)}`)
  }

  /** Resolves to the next event, whenever that is. Does not keep the process alive by itself. */
  async next(id: string): Promise<ExtensionEvent> {
    const headers = { 'lambda-extension-identifier': id }
    const { status, body } = await this.#send('GET', '/event/next', headers)
    if (status !== 200) throw new Error(`/event/next was answered with ${status}${errorTypeIn(body)}`)
    return JSON.parse(body) as ExtensionEvent
  }

  #send(method: string, path: string, headers: Record<string, string>, body?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request({ ...this.#place, method, path: PATH + path, headers }, (response) => {
        read(response).then(resolve, reject)
      })
      asked.on('error', reject)
      asked.on('socket', (socket) => socket.unref())
      asked.end(body)
    })
  }
}

function read(response: IncomingMessage): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let body = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      body += chunk
      if (body.length > MOST_BYTES) response.destroy(new Error('an answer too long'))
    })
    response.on('error', reject)
    response.on('end', () => {
      const id = response.headers['lambda-extension-identifier']
      resolve({ status: response.statusCode ?? 0, id: typeof id === 'string' ? id : undefined, body })
    })
  })
}

/** The API's own word for it; nothing else of an answer is worth repeating. */
function errorTypeIn(body: string): string {
  const type = /"errorType"\s*:\s*"([\w.]{1,60})"/.exec(body)?.[1]
  return type === undefined ? '' : ` (${type})`
}
