/** SigV4 presigning written from the specification, to check tokens against: nothing of the AWS SDK. */

import { createHash, createHmac } from 'node:crypto'

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
const keyed = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

const encode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

export interface ReadToken {
  readonly host: string
  readonly query: ReadonlyMap<string, string>
  readonly accessKeyId: string
  readonly region: string
  readonly service: string
  readonly signature: string
}

export function readToken(token: string): ReadToken {
  const url = new URL(`https://${token}`)
  const query = new Map(url.searchParams)
  const [accessKeyId = '', , region = '', service = ''] = (query.get('X-Amz-Credential') ?? '').split('/')
  const signature = query.get('X-Amz-Signature') ?? ''
  return { host: token.slice(0, token.indexOf('/')), query, accessKeyId, region, service, signature }
}

/** The signature that this token must have if `secretAccessKey` signed it. */
export function signatureOf(token: string, secretAccessKey: string): string {
  const { host, query, region, service } = readToken(token)
  const date = query.get('X-Amz-Date') ?? ''
  const canonicalQuery = [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&')
  const canonical = ['GET', '/', canonicalQuery, `host:${host}`, '', 'host', hash('')].join('\n')
  const day = date.slice(0, 8)
  const scope = `${day}/${region}/${service}/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', date, scope, hash(canonical)].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(keyed, `AWS4${secretAccessKey}`)
  return keyed(key, toSign).toString('hex')
}
