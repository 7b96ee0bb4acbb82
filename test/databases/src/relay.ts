// A TCP relay between clients and a server, to have the network go wrong on demand.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

import { LOOPBACK } from './free-port.ts'
import { RelayFlow } from './relay-flow.ts'

export interface Relay {
  readonly host: string
  readonly port: number
  /** Connections of which an end is still open, lost ones included. */
  readonly connections: number
  /**
   * Latency added to each direction: a round trip takes twice as long. Milliseconds; Node's timers add up to
   * 1 ms. Applies to what arrives from now on; the order of bytes is kept. 0 adds nothing.
   */
  delayMs: number
  /**
   * The network loses everything from now on, as when an environment is taken away or a firewall forgets a
   * flow: existing connections stay open at both ends, but neither bytes nor FINs nor resets go through; new
   * ones are accepted and get no answer.
   */
  blackhole(): void
  /** New connections work again. Those lost in the black hole stay lost: bytes of theirs are missing. */
  resume(): void
  /** Resets (RST) all existing connections at both ends. New ones are accepted as before. */
  reset(): void
  /**
   * For every connection open now: the next reply of the server is lost and both ends get a reset. The server
   * has done the work then, and the client can't know.
   */
  dropReplies(): void
  /** Ends the relay and all its connections. */
  close(): Promise<void>
}

/**
 * Starts a relay to the target on the loopback address. If nobody listens at the target, the client is
 * connected and then reset: a relay can't refuse.
 */
export async function startRelay(target: { readonly host: string; readonly port: number }): Promise<Relay> {
  const flows = new Set<RelayFlow>()
  let isBlackhole = false
  const openFlows = (): readonly RelayFlow[] => {
    for (const flow of flows) if (!flow.isOpen) flows.delete(flow)
    return [...flows]
  }
  const listener = createServer({ allowHalfOpen: true }, (client) => {
    const server = isBlackhole ? undefined : connect({ ...address(target), allowHalfOpen: true })
    flows.add(new RelayFlow(client, server, () => relay.delayMs))
    client.once('close', openFlows)
  })
  listener.listen(0, LOOPBACK)
  await once(listener, 'listening')
  const bound = listener.address()
  if (bound === null || typeof bound === 'string') throw new Error('the relay has no port')

  const relay: Relay = {
    host: LOOPBACK,
    port: bound.port,
    delayMs: 0,
    get connections() {
      return openFlows().length
    },
    blackhole: () => {
      isBlackhole = true
      for (const flow of openFlows()) flow.lose()
    },
    resume: () => {
      isBlackhole = false
    },
    reset: () => {
      for (const flow of openFlows()) flow.reset()
    },
    dropReplies: () => {
      for (const flow of openFlows()) flow.dropNextReply()
    },
    close: async () => {
      const closed = once(listener, 'close')
      listener.close()
      for (const flow of openFlows()) flow.reset()
      await closed
    },
  }
  return relay
}

/**
 * Only these two: a whole server object may be passed, and `connect` has options of its own by other names.
 */
function address({ host, port }: { readonly host: string; readonly port: number }): {
  host: string
  port: number
} {
  return { host, port }
}
