/** TCP: does the port take a connection? */

import { connect, type Socket } from 'node:net'

import { codeOf, LeaseholdError } from '@leasehold/core'

import { isLocalSocket } from '../../target/place.ts'
import type { Examination } from '../examination.ts'
import { fine, goOn, stop, type StepOutcome, wrong } from '../finding.ts'

/** RFC 1918, RFC 6598 and unique local addresses: reachable from within their network only. */
const PRIVATE = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd])/

const UNREACHABLE = ['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL']
const SILENT = ['ETIMEDOUT', 'ERR_SOCKET_CONNECTION_TIMEOUT']

export async function examinePort(examination: Examination): Promise<StepOutcome> {
  const { clock, place } = examination
  const { host, port } = place
  const where = isLocalSocket(place) ? host : `${host}:${port}`
  const startMs = clock.monotonicMs()
  try {
    examination.socket = await examination.within('connecting', (signal) => connectTo(place, signal))
    const tookMs = Math.round(clock.monotonicMs() - startMs)
    return goOn(fine(`${where} takes connections (${tookMs} ms)`, { port, connectMs: tookMs }))
  } catch (error) {
    return stop(failed(examination, where, causeOf(error)))
  }
}

function connectTo(place: { host: string; port: number }, signal: AbortSignal): Promise<Socket> {
  const { host, port } = place
  return new Promise((resolve, reject) => {
    const socket = connect(isLocalSocket(place) ? { path: host } : { host, port, noDelay: true })
    const onAbort = (): void => {
      socket.destroy()
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      signal.removeEventListener('abort', onAbort)
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}

/** Of a host with several addresses, the failure of each is in one error. */
function causeOf(error: unknown): unknown {
  const { errors } = error as { errors?: readonly unknown[] }
  return errors?.[0] ?? error
}

function failed(
  { addresses, limitMs }: Examination,
  where: string,
  error: unknown,
): ReturnType<typeof wrong> {
  const code = codeOf(error)
  const isPrivate = addresses.some((address) => PRIVATE.test(address))
  const hint = isPrivate ? `; ${addresses.join(', ')} is a private address` : ''
  if (LeaseholdError.is(error) || SILENT.includes(code)) {
    return wrong('PORT_SILENT', `no answer from ${where} within ${limitMs} ms${hint}`)
  }
  if (UNREACHABLE.includes(code)) return wrong('UNREACHABLE', `no way to ${where} (${code})${hint}`)
  // Of a socket of this machine: no such file.
  const isClosed = code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ECONNRESET'
  return isClosed
    ? wrong('PORT_CLOSED', `${where} refuses connections (${code})`)
    : wrong('UNREACHABLE', `${where} can't be connected to (${code})${hint}`)
}
