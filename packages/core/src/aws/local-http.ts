/** Requests to what serves this environment on its own loopback: an extension, an agent, the layer's sidecar. */

import type { request } from 'node:http'

import type { Env } from '../env.ts'

const DEFAULT_PORT = 2773

/** More than Secrets Manager's own 64 KiB, escaped and wrapped. */
const MOST_BYTES = 512 * 1024

export interface LocalAnswer {
  readonly status: number
  readonly body: string
}

export type AskLocally = (path: string, signal: AbortSignal) => Promise<LocalAnswer>

/** Source: `PARAMETERS_SECRETS_EXTENSION_HTTP_PORT`, as AWS's own extension has it. */
export function localPort(env: Env): number {
  return Number(env['PARAMETERS_SECRETS_EXTENSION_HTTP_PORT'] || DEFAULT_PORT)
}

/** What proves that a request comes from within the environment. SnapStart leaves the first of them unset. */
export function localToken(env: Env): string {
  return env['AWS_SESSION_TOKEN'] || env['AWS_CONTAINER_AUTHORIZATION_TOKEN'] || ''
}

/** Loads HTTP on first use: it takes longer to load than the rest of the entry, and few have a use for it. */
export async function openLocal(env: Env): Promise<AskLocally> {
  const http = await import('node:http')
  return (path, signal) => get(http.request, env, path, signal)
}

function get(send: typeof request, env: Env, path: string, signal: AbortSignal): Promise<LocalAnswer> {
  return new Promise((resolve, reject) => {
    // A connection of its own: one kept over a freeze would be dead.
    const options = { host: 'localhost', port: localPort(env), path, signal, agent: false }
    const headers = { 'x-aws-parameters-secrets-token': localToken(env) }
    const asked = send({ ...options, headers }, (response) => {
      const chunks: Buffer[] = []
      let byteCount = 0
      response.on('data', (chunk: Buffer) => {
        byteCount += chunk.length
        if (byteCount > MOST_BYTES) asked.destroy(tooLong())
        else chunks.push(chunk)
      })
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') })
      })
      response.on('error', reject)
    })
    asked.on('error', reject)
    asked.end()
  })
}

/** Shaped as a service's error: asking again would bring as much. */
function tooLong(): Error {
  return Object.assign(new Error('an answer too long'), { $fault: 'client' })
}
