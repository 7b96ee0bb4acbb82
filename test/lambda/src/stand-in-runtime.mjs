// What runs the handler where AWS's own runtime client can't be built: the same loop, as plain JavaScript
// so that any Node.js runs it. Handlers may be async, or take a callback as on Node.js 22 and older.

import { existsSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { createRequire } from 'node:module'
import { basename, dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'

const { AWS_LAMBDA_RUNTIME_API = '', LAMBDA_TASK_ROOT = '', _HANDLER = '' } = process.env
const [host, port] = AWS_LAMBDA_RUNTIME_API.split(':')
const agent = new Agent({ keepAlive: true })
const isStreaming = Symbol.for('aws.lambda.runtime.handler.streaming')

globalThis.awslambda = {
  ...globalThis.awslambda,
  streamifyResponse: (handler) => Object.assign(handler, { [isStreaming]: 'response' }),
  HttpResponseStream: { from: startWithPrelude },
}

let handler
try {
  handler = await loadHandler()
} catch (error) {
  log('Init Error', error)
  const body = describe(error)
  await call('POST', 'init/error', JSON.stringify(body), errorHeaders(body))
  process.exit(1)
}
for (;;) await serveOne()

async function serveOne() {
  const { headers, body } = await call('GET', 'invocation/next')
  const requestId = headers['lambda-runtime-aws-request-id']
  process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id']
  const context = createContext(requestId, headers)
  const event = JSON.parse(body)
  if (handler[isStreaming]) return stream(event, context)
  let path = `invocation/${requestId}/response`
  let answer
  let answerHeaders
  try {
    answer = JSON.stringify(await run(event, context)) ?? 'null'
  } catch (error) {
    log('Invoke Error', error)
    const description = describe(error)
    path = `invocation/${requestId}/error`
    answer = JSON.stringify(description)
    answerHeaders = errorHeaders(description)
  }
  await call('POST', path, answer, answerHeaders)
}

function run(event, context) {
  if (handler.length < 3) return handler(event, context)
  return new Promise((succeed, fail) => {
    const callback = (error, result) => (error ? fail(error) : succeed(result))
    const returned = handler(event, context, callback)
    if (typeof returned?.then === 'function') returned.then(succeed, fail)
  })
}

function createContext(requestId, headers) {
  const deadlineEpochMs = Number(headers['lambda-runtime-deadline-ms'])
  return {
    awsRequestId: requestId,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    xRayTraceId: headers['lambda-runtime-trace-id'],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => deadlineEpochMs - Date.now(),
  }
}

async function stream(event, context) {
  const path = `invocation/${context.awsRequestId}/response`
  const { outgoing, answered } = open('POST', path, {
    'lambda-runtime-function-response-mode': 'streaming',
    'content-type': 'application/octet-stream',
    'transfer-encoding': 'chunked',
    trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
  })
  outgoing.setContentType = (type) => outgoing.setHeader('content-type', type)
  try {
    await handler(event, outgoing, context)
    if (!outgoing.writableEnded) throw new Error('Response stream is not finished.')
  } catch (error) {
    log('Invoke Error', error)
    const description = describe(error)
    const body = Buffer.from(JSON.stringify(description)).toString('base64')
    outgoing.addTrailers({ ...errorHeaders(description), 'lambda-runtime-function-error-body': body })
    outgoing.end()
  }
  await answered
}

function startWithPrelude(responseStream, prelude) {
  responseStream.setContentType('application/vnd.awslambda.http-integration-response')
  responseStream.write(JSON.stringify(prelude))
  responseStream.write(new Uint8Array(8))
  return responseStream
}

async function loadHandler() {
  const file = basename(_HANDLER)
  const dot = file.indexOf('.')
  if (dot < 1 || _HANDLER.includes('..')) throw named('Runtime.MalformedHandlerName', 'Bad handler')
  const module = await loadModule(dirname(_HANDLER), file.slice(0, dot))
  const pick = (from) =>
    file
      .slice(dot + 1)
      .split('.')
      .reduce((value, key) => value?.[key], from)
  const found = pick(module) ?? pick(module?.default)
  if (typeof found === 'function') return found
  const problem = found === undefined ? 'is undefined or not exported' : 'is not a function'
  throw named('Runtime.HandlerNotFound', `${_HANDLER} ${problem}`)
}

async function loadModule(folder, name) {
  const path = resolve(LAMBDA_TASK_ROOT, folder, name)
  try {
    for (const extension of ['', '.js', '.mjs', '.cjs']) {
      if (existsSync(path + extension)) return await import(pathToFileURL(path + extension).href)
    }
    const require = createRequire(import.meta.url)
    return require(require.resolve(name, { paths: [LAMBDA_TASK_ROOT, resolve(LAMBDA_TASK_ROOT, folder)] }))
  } catch (error) {
    if (error instanceof SyntaxError) throw named('Runtime.UserCodeSyntaxError', `${error}`, error)
    if (error?.code === 'MODULE_NOT_FOUND') throw named('Runtime.ImportModuleError', error.message, error)
    throw error
  }
}

function named(name, message, cause) {
  return Object.assign(new Error(message, { cause }), { name })
}

function log(what, error) {
  process.stderr.write(`${what}\t${inspect(error)}\n`)
}

function describe(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] }
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] }
}

function errorHeaders({ errorType }) {
  return { 'lambda-runtime-function-error-type': errorType.replaceAll(/[^\x20-\x7e]/g, '?') }
}

/** One call of the Runtime API. */
async function call(method, path, body = '', headers = {}) {
  const { outgoing, answered } = open(method, path, {
    ...headers,
    ...(method === 'POST' ? { 'content-length': Buffer.byteLength(body) } : {}),
  })
  outgoing.end(body)
  return answered
}

function open(method, path, headers) {
  const outgoing = request({ host, port, method, path: `/2018-06-01/runtime/${path}`, headers, agent })
  const answered = new Promise((succeed, fail) => {
    outgoing.on('error', fail)
    outgoing.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => succeed({ headers: response.headers, body: text }))
    })
  })
  return { outgoing, answered }
}
