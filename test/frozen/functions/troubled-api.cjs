// Stands between the extension and the real API, inside the function's process, and makes trouble of one kind.
const http = require('node:http')

const { AWS_LAMBDA_RUNTIME_API, TROUBLE, TROUBLE_PORT } = process.env
let failures = 0

const troubles = {
  // As a proxy that knows the Runtime API alone.
  missing: (_asked, answer) => answer.writeHead(404).end('not found'),
  failing: (_asked, answer) => answer.writeHead(500).end('{"errorType":"Extension.Internal"}'),
  wordless: (_asked, answer) => answer.writeHead(200).end('{}'),
  hanging: () => {},
  dying: (asked) => asked.socket.destroy(),
  late: (asked, answer) => setTimeout(() => pass(asked, answer), 300),
  // Registers, but is not there when the first event is asked for.
  flaky: (asked, answer) => {
    if (asked.method === 'POST' || failures === 3) return pass(asked, answer)
    failures += 1
    asked.socket.destroy()
  },
  // Done at once, but said long after.
  slow: (asked, answer) => pass(asked, answer, asked.method === 'POST' ? 3_500 : 0),
}

function pass(asked, answer, answerAfterMs = 0) {
  const [host, port] = AWS_LAMBDA_RUNTIME_API.split(':')
  const { method, url, headers } = asked
  const passed = http.request({ host, port, method, path: url, headers, agent: false }, (answered) => {
    setTimeout(() => {
      answer.writeHead(answered.statusCode, answered.headers)
      answered.pipe(answer)
    }, answerAfterMs)
  })
  passed.on('error', () => answer.destroy())
  asked.pipe(passed)
}

exports.makeTrouble = () => {
  if (TROUBLE === undefined) return
  // The runtime has read the address by now; what is told otherwise is the extension.
  process.env.AWS_LAMBDA_RUNTIME_API = `127.0.0.1:${TROUBLE_PORT}`
  if (TROUBLE !== 'closed') http.createServer(troubles[TROUBLE]).listen(Number(TROUBLE_PORT))
}
