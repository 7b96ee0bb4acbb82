/**
 * Asks a server that was full a moment ago whether it still is. MySQL says so first thing, before any login, so that a
 * bare socket hears it: a connection of the driver's, with all that belongs to it, is made for one that is let in.
 */

import { createConnection, type Socket } from 'node:net'

import type { DriverConfig } from './driver.ts'

/** `full`: refused in the same way again. A socket: what the server said first is there to be read, whatever it is. */
export type Answer = 'full' | Socket

/** ER_CON_COUNT_ERROR; refusals for other reasons come after the login. */
const FULL = 1040
const HEADER_BYTES = 4
const ERROR_PACKET = 0xff
const MOST_BYTES_NEEDED = HEADER_BYTES + 3

/** Whether `error` is a refusal that a knock would hear as well. */
export function isHeardByKnock(error: unknown, { stream }: DriverConfig): boolean {
  return stream === undefined && (error as { errno?: unknown } | null)?.errno === FULL
}

/**
 * Resolves with undefined where no answer came of it, for the driver to find out why. Rejects with the signal's reason.
 */
export function knock(config: DriverConfig, signal: AbortSignal): Promise<Answer | undefined> {
  signal.throwIfAborted()
  const { socketPath, host, port = 3306 } = config
  return new Promise((resolve, reject) => {
    const socket = socketPath ? createConnection(socketPath) : createConnection(port, host)
    let heard: Buffer = Buffer.alloc(0)
    const settle = (answer: Answer | undefined): void => {
      signal.removeEventListener('abort', onAbort)
      socket.removeListener('data', onData)
      socket.removeListener('close', onClose)
      if (answer !== socket) socket.destroy()
      resolve(answer)
    }
    const onAbort = (): void => {
      socket.destroy()
      reject(signal.reason as Error)
    }
    const onClose = (): void => settle(undefined)
    const onData = (chunk: Buffer): void => {
      heard = heard.length === 0 ? chunk : Buffer.concat([heard, chunk])
      const isError = heard[HEADER_BYTES] === ERROR_PACKET
      if (heard.length < (isError ? MOST_BYTES_NEEDED : HEADER_BYTES + 1)) return
      if (isError && heard.readUInt16LE(HEADER_BYTES + 1) === FULL) return settle('full')
      socket.pause()
      socket.unshift(heard)
      settle(socket)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', ignore)
    socket.once('close', onClose)
    socket.on('data', onData)
    socket.setNoDelay(true)
    if (config.enableKeepAlive !== false) socket.setKeepAlive(true, config.keepAliveInitialDelay)
  })
}

function ignore(): void {}
