#!/usr/bin/env node
// An external extension that says what it sees. EXTERNAL_EVENTS: what it registers for;
// EXTERNAL_SHUTDOWN: `exit` or `linger`; EXTERNAL_CRASH: `init` or `invoke`; EXTERNAL_INVOKE_MS: work per event.

import { basename } from 'node:path'

const { AWS_LAMBDA_RUNTIME_API, EXTERNAL_EVENTS = 'INVOKE,SHUTDOWN', EXTERNAL_SHUTDOWN } = process.env
const { EXTERNAL_CRASH, EXTERNAL_INVOKE_MS = '0' } = process.env
const base = `http://${AWS_LAMBDA_RUNTIME_API}/2020-01-01/extension`
const say = (text) => process.stdout.write(`witness: ${text}\n`)

if (EXTERNAL_CRASH === 'init') process.exit(3)
const response = await fetch(`${base}/register`, {
  method: 'POST',
  headers: { 'lambda-extension-name': basename(import.meta.filename) },
  body: JSON.stringify({ events: EXTERNAL_EVENTS.split(',').filter(Boolean) }),
})
const id = response.headers.get('lambda-extension-identifier')
say(`registered ${response.status}`)
if (id === null) process.exit(2)
say(`sees _HANDLER ${process.env._HANDLER}, name ${process.env.AWS_LAMBDA_FUNCTION_NAME}`)
for (;;) {
  const next = await fetch(`${base}/event/next`, { headers: { 'lambda-extension-identifier': id } })
  const event = await next.json()
  say(
    `${event.eventType} ${event.shutdownReason ?? event.requestId} ${event.deadlineMs - Date.now()} ms left`,
  )
  if (event.eventType === 'SHUTDOWN') {
    if (EXTERNAL_SHUTDOWN === 'exit') process.exit(0)
    setInterval(() => {}, 1_000)
    await new Promise(() => {})
  }
  if (EXTERNAL_CRASH === 'invoke') process.exit(4)
  await new Promise((resolve) => setTimeout(resolve, Number(EXTERNAL_INVOKE_MS)))
}
