// Ports for servers that are stopped and started again: outside the range of ephemeral ports, so that no
// outgoing connection takes the port meanwhile. (A client that calls an ephemeral port nobody listens on may
// even be connected to itself, when the kernel picks that very port for the client's own end.)
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

/** The address that everything here listens on. */
export const LOOPBACK = '127.0.0.1'

const LOWEST_PORT = 10_000
const ATTEMPTS = 100

/** A port of the loopback address that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST_PORT, lowestEphemeralPort())
    if (await isFree(port)) return port
  }
  throw new Error(`no free port found from ${LOWEST_PORT} to ${lowestEphemeralPort()} (${ATTEMPTS} attempts)`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, LOOPBACK)
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}

function lowestEphemeralPort(): number {
  try {
    const lowest = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10)
    return Math.max(lowest, LOWEST_PORT + 1000)
  } catch {
    return 32_768
  }
}
