// A relay with latency, in a process of its own: host, port and one-way milliseconds as arguments.
import { startRelay } from '@leasehold/test-databases'

const [host = '', port = '', oneWayMs = ''] = process.argv.slice(2)
const relay = await startRelay({ host, port: Number(port) })
relay.delayMs = Number(oneWayMs)
process.send?.(relay.port)
