// Handlers for the tests that need no extension.

let invocations = 0
let ticks = 0
setInterval(() => {
  ticks += 1
}, 5)

export const echo = async (event) => {
  invocations += 1
  return { event, invocations, pid: process.pid, ticks }
}

export const describeContext = async (_event, context) => ({
  ...context,
  remainingMs: context.getRemainingTimeInMillis(),
  traceIdVariable: process.env._X_AMZN_TRACE_ID,
  cwd: process.cwd(),
})

export const environment = async () => process.env

export const fail = async ({ message }) => {
  throw new RangeError(message)
}

export const throwText = async () => {
  throw 'not an Error'
}

export const wait = async ({ ms }) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return 'waited'
}

export const exit = async ({ code }) => process.exit(code)

export const kill = async () => {
  process.kill(process.pid, 'SIGKILL')
  await new Promise(() => {})
}

export const say = async ({ lines }) => {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
  process.stderr.write('and this on stderr\n')
}

export const notAFunction = 42

export const stream = globalThis.awslambda?.streamifyResponse(async (event, responseStream) => {
  responseStream.setContentType('text/plain')
  for (const part of event.parts) responseStream.write(part)
  if (event.failWith !== undefined) throw new Error(event.failWith)
  responseStream.end()
})
