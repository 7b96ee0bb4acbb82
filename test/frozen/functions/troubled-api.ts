// Stands between the extension and the real API, inside the function's process, and makes trouble of one kind.
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'

type Trouble = (asked: IncomingMessage, answer: ServerResponse) => void

const { AWS_LAMBDA_RUNTIME_API = '', TROUBLE, TROUBLE_PORT } = process.env
let failures = 0

const TROUBLES: Readonly<Record<string, Trouble>> = {
  // As a proxy that knows the Runtime API alone.
  missing: (_asked, answer) => answer.writeHead(404).end('not found'),
  failing: (_asked, answer) => answer.writeHead(500).end('{"errorType":"Extension.Internal"}'),
  wordless: (_asked, answer) => answer.writeHead(200).end('{}'),
  hanging: () => {},
  dying: (asked) => asked.socket.destroy(),
  late: (asked, answer) => void setTimeout(() => pass(asked, answer), 300),
  // Registers, but is not there when the first event is asked for.
  flaky: (asked, answer) => {
    if (asked.method === 'POST' || failures === 3) return pass(asked, answer)
    failures += 1
    asked.socket.destroy()
  },
  // Done at once, but said long after.
  slow: (asked, answer) => pass(asked, answer, asked.method === 'POST' ? 3_500 : 0),
}

function pass(asked: IncomingMessage, answer: ServerResponse, answerAfterMs = 0): void {
  const [host, port] = AWS_LAMBDA_RUNTIME_API.split(':')
  const { method, url, headers } = asked
  const passed = request({ host, port, method, path: url, headers, agent: false }, (answered) => {
    setTimeout(() => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers)
      answered.pipe(answer)
    }, answerAfterMs)
  })
  passed.on('error', () => answer.destroy())
  asked.pipe(passed)
}

export function makeTrouble(): void {
  if (TROUBLE === undefined) return
  // The runtime has read the address by now; what is told otherwise is the extension.
  process.env['AWS_LAMBDA_RUNTIME_API'] = `127.0.0.1:${TROUBLE_PORT}`
  if (TROUBLE !== 'closed') createServer(TROUBLES[TROUBLE]).listen(Number(TROUBLE_PORT))
}
