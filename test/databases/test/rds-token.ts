// A token as the AWS SDK makes it, in a few lines of its own: the library's verifier must not test itself.
import { createHash, createHmac } from 'node:crypto'

import type { IamCredentials } from '../src/index.ts'

export interface TokenOptions {
  readonly user: string
  readonly host: string
  readonly port: number
  readonly region: string
  readonly credentials: IamCredentials
  readonly signedAtEpochMs?: number
  readonly expiresAfterMs?: number
  readonly service?: string
}

export function rdsToken(options: TokenOptions): string {
  const { user, host, port, region, credentials, service = 'rds-db' } = options
  const signedAt = new Date(options.signedAtEpochMs ?? Date.now()).toISOString().replace(/\.\d+|[:-]/g, '')
  const day = signedAt.slice(0, 8)
  const scope = `${day}/${region}/${service}/aws4_request`
  const { sessionToken } = credentials
  // In the order of the alphabet, as they are signed.
  const query = [
    ['Action', 'connect'],
    ['DBUser', user],
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${scope}`],
    ['X-Amz-Date', signedAt],
    ['X-Amz-Expires', `${(options.expiresAfterMs ?? 900_000) / 1000}`],
    ...(sessionToken === undefined ? [] : [['X-Amz-Security-Token', sessionToken]]),
    ['X-Amz-SignedHeaders', 'host'],
  ].map(([key = '', value = '']) => `${key}=${encodeURIComponent(value)}`)
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
  const request = ['GET', '/', query.join('&'), `host:${host}:${port}`, '', 'host', hash('')].join('\n')
  const text = ['AWS4-HMAC-SHA256', signedAt, scope, hash(request)].join('\n')
  let key = Buffer.from(`AWS4${credentials.secretAccessKey}`)
  for (const part of [day, region, service, 'aws4_request', text]) {
    key = createHmac('sha256', key).update(part).digest()
  }
  return `${host}:${port}/?${query.join('&')}&X-Amz-Signature=${key.toString('hex')}`
}
