// A function with an internal extension inside, driven by variables.
// EVENTS: what it registers for, comma-separated. MORE: how many others it registers, all as MORE_NAME if set.
// AFTER_RESPONSE_MS: how long it works after an INVOKE event. ON_SIGTERM: `exit`, `die` or `ignore`.
// REPORT: `init/error` or `exit/error`, at once. NO_NEXT: registers and never calls /event/next.

import { connect } from 'node:net'

const {
  AWS_LAMBDA_RUNTIME_API,
  EVENTS,
  AFTER_RESPONSE_MS = '0',
  ON_SIGTERM,
  NO_NEXT,
  PEER_PORT,
  REPORT,
} = process.env
const base = `http://${AWS_LAMBDA_RUNTIME_API}/2020-01-01/extension`
const received = []

if (PEER_PORT !== undefined) connect(Number(PEER_PORT), '127.0.0.1').unref()

if (ON_SIGTERM !== undefined) {
  process.on('SIGTERM', () => {
    process.stdout.write('SIGTERM handled\n')
    if (ON_SIGTERM === 'exit') process.exit(0)
    if (ON_SIGTERM === 'die') process.kill(process.pid, 'SIGKILL')
  })
}

const registration = EVENTS === undefined ? undefined : await register('internal', EVENTS)
if (registration?.id && REPORT !== undefined) {
  const headers = {
    'lambda-extension-identifier': registration.id,
    'lambda-extension-function-error-type': 'Extension.Tested',
  }
  await fetch(`${base}/${REPORT}`, { method: 'POST', headers, body: '{"errorMessage":"no way"}' })
}
if (registration?.id && NO_NEXT === undefined) void loop(registration.id)

async function loop(id) {
  for (;;) {
    const response = await fetch(`${base}/event/next`, { headers: { 'lambda-extension-identifier': id } })
    const event = await response.json()
    received.push(event)
    await new Promise((resolve) => setTimeout(resolve, Number(AFTER_RESPONSE_MS)))
    process.stdout.write(`worked after ${event.eventType}\n`)
  }
}

async function register(name, events) {
  const response = await fetch(`${base}/register`, {
    method: 'POST',
    headers: { 'lambda-extension-name': name, 'lambda-extension-accept-feature': 'accountId' },
    body: JSON.stringify({ events: events.split(',').filter(Boolean) }),
  })
  const id = response.headers.get('lambda-extension-identifier')
  return { status: response.status, id, body: await response.json() }
}

const registered = []
for (let i = 1; i <= Number(process.env.MORE ?? 0); i += 1) {
  const more = await register(process.env.MORE_NAME ?? `more-${i}`, '')
  registered.push(more)
  if (more.id) void fetch(`${base}/event/next`, { headers: { 'lambda-extension-identifier': more.id } })
}

export const handler = async ({ registerNow } = {}) => {
  if (registerNow !== undefined) return register('late', registerNow)
  return { registration, registered, received }
}
