// The Runtime API: hands events to the runtime and takes its answers.

import type { IncomingMessage, ServerResponse } from 'node:http'

import { header, reply, replyWithError, type ApiCall, type Routes } from './api-server.ts'
import type { InvocationError } from './api.ts'
import { SandboxError } from './errors.ts'

/** What the runtime made of an event. */
export type Answer = { readonly payload: unknown } | { readonly error: InvocationError }

/** One event on its way to the runtime. */
export interface Delivery {
  readonly requestId: string
  readonly body: string
  readonly deadlineEpochMs: number
  readonly functionArn: string
  readonly traceId: string
}

export interface RuntimeApiOptions {
  /** The runtime called `/next`. */
  readonly onNext: () => void
  /** Returns whether the request id was waiting for an answer. */
  readonly onAnswer: (requestId: string, answer: Answer) => boolean
  readonly onInitError: (error: SandboxError) => void
}

export class RuntimeApi {
  readonly #options: RuntimeApiOptions
  readonly #waiting: ServerResponse[] = []

  constructor(options: RuntimeApiOptions) {
    this.#options = options
  }

  readonly routes: Routes = {
    'GET /2018-06-01/runtime/invocation/next': ({ response }) => this.#next(response),
    'POST /2018-06-01/runtime/invocation/*/response': (call) => this.#answer(call, readResponse(call)),
    'POST /2018-06-01/runtime/invocation/*/error': (call) =>
      this.#answer(call, { error: readError(call.request, call.body) }),
    'POST /2018-06-01/runtime/init/error': (call) => this.#initError(call),
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Answers a waiting `/next`; there must be one. */
  deliver(delivery: Delivery): void {
    const response = this.#waiting.shift()
    if (response === undefined) throw new Error('the runtime is not waiting for an event')
    reply(response, 200, delivery.body, {
      'lambda-runtime-aws-request-id': delivery.requestId,
      'lambda-runtime-deadline-ms': String(delivery.deadlineEpochMs),
      'lambda-runtime-invoked-function-arn': delivery.functionArn,
      'lambda-runtime-trace-id': delivery.traceId,
    })
  }

  #next(response: ServerResponse): void {
    this.#waiting.push(response)
    response.once('close', () => {
      const index = this.#waiting.indexOf(response)
      if (index >= 0) this.#waiting.splice(index, 1)
    })
    this.#options.onNext()
  }

  #answer({ response, requestId }: ApiCall, answer: Answer): void {
    if (this.#options.onAnswer(requestId, answer)) reply(response, 202, { status: 'OK' })
    else replyWithError(response, 400, 'InvalidRequestID', 'Invalid request ID')
  }

  #initError({ request, response, body }: ApiCall): void {
    reply(response, 202, { status: 'OK' })
    const { errorType, errorMessage, trace } = readError(request, body)
    this.#options.onInitError(new SandboxError(errorType, errorMessage, { trace }))
  }
}

/** A streamed response that fails after its first bytes says so in its trailers. */
function readResponse({ request, body }: ApiCall): Answer {
  if (request.trailers['lambda-runtime-function-error-type'] !== undefined) {
    const details = request.trailers['lambda-runtime-function-error-body'] ?? ''
    return { error: readError(request, Buffer.from(details, 'base64')) }
  }
  return { payload: readPayload(body.toString('utf8')) }
}

function readPayload(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function readError(request: IncomingMessage, body: Buffer): InvocationError {
  const typeHeader = header(request, 'lambda-runtime-function-error-type')
  const payload = readPayload(body.toString('utf8'))
  const fields: Partial<Record<string, unknown>> =
    typeof payload === 'object' && payload !== null ? { ...payload } : {}
  const { errorType = typeHeader ?? 'Runtime.Unknown', errorMessage = '' } = fields
  const trace = fields['trace'] ?? fields['stackTrace']
  const error = { errorType: String(errorType), errorMessage: String(errorMessage) }
  return Array.isArray(trace) ? { ...error, trace: trace.map(String) } : error
}
