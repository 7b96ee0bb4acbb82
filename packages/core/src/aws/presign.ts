/**
 * Signs tokens by Signature Version 4 where the SDK's signers are not to be had: without network, and to the letter
 * what they sign. Source: IAM User Guide, "Create a signed AWS API request".
 */

import { createHash, createHmac } from 'node:crypto'

import { dateOf } from './dates.ts'
import type { AwsIdentity } from './identity.ts'

const ALGORITHM = 'AWS4-HMAC-SHA256'

/** The server refuses a token that is older. Source: RDS User Guide, IAM database authentication. */
const EXPIRES_S = '900'

export interface Presigned {
  /** As the request names it: with its port, where that is not the scheme's own. */
  readonly host: string
  readonly region: string
  /** `rds-db`, `dsql`. */
  readonly service: string
  readonly query: Readonly<Record<string, string>>
}

/** The address of a signed GET request, without its scheme: a token. */
export function presign(
  { host, region, service, query }: Presigned,
  identity: AwsIdentity,
  nowEpochMs: number,
): string {
  const time = dateOf(nowEpochMs)
    .toISOString()
    .replace(/\.\d+|[:-]/g, '')
  const scope = [time.slice(0, 8), region, service, 'aws4_request']
  const all: Record<string, string> = {
    ...query,
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': [identity.accessKeyId, ...scope].join('/'),
    'X-Amz-Date': time,
    'X-Amz-Expires': EXPIRES_S,
    'X-Amz-SignedHeaders': 'host',
  }
  if (identity.sessionToken) all['X-Amz-Security-Token'] = identity.sessionToken
  const request = ['GET', '/', textOf(all), `host:${host}`, '', 'host', hash('')].join('\n')
  const toSign = [ALGORITHM, time, scope.join('/'), hash(request)].join('\n')
  const key = scope.reduce<string | Buffer>(keyed, `AWS4${identity.secretAccessKey}`)
  return `${host}/?${textOf({ ...all, 'X-Amz-Signature': keyed(key, toSign).toString('hex') })}`
}

/** Sorted by name, as it is signed. */
function textOf(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .toSorted()
    .join('&')
}

/** RFC 3986, which leaves fewer characters as they are than JavaScript does. */
function encoded(text: string): string {
  const code = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  return encodeURIComponent(text).replace(/[!'()*]/g, code)
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function keyed(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
