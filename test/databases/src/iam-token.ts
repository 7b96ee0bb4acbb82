// Checks a login token as RDS does: it is an address with Signature Version 4 in its query, and whoever knows
// the secret key can compute the signature again. Runs inside the login of a database server, copied to its
// folder: it imports nothing but Node's own modules.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

import type { IamCredentials, IamReason, IamService, IamVerdict } from './iam.ts'

/** What a token must be; the file that the verifier reads at every login. */
export interface IamRules {
  readonly service: IamService
  readonly host: string
  readonly port: number
  readonly region: string
  readonly maxAgeMs: number
  readonly credentials: readonly IamCredentials[]
}

const ALGORITHM = 'AWS4-HMAC-SHA256'
/** A server's clock and a signer's may differ by so much, as everywhere in AWS. */
const CLOCK_SKEW_MS = 300_000
/** What PAM leaves of a password that is too long (PAM_MAX_RESP_SIZE is 512, with the byte that ends it). */
const CUT_AT_BYTES = 511

interface Token {
  readonly address: string
  readonly query: URLSearchParams
  readonly accessKeyId: string
  readonly date: string
  readonly region: string
  readonly service: string
  readonly signedAt: string
  readonly signedAtEpochMs: number
  readonly expiresAfterMs: number
}

export function verdictOn(text: string, user: string, rules: IamRules, nowEpochMs: number): IamVerdict {
  if (text.length >= CUT_AT_BYTES)
    return { user, accepted: false, reason: 'too long', signedAtEpochMs: undefined }
  const token = parse(text)
  const reason = token ? reasonAgainst(token, user, rules, nowEpochMs) : 'malformed'
  return { user, accepted: reason === 'ok', reason, signedAtEpochMs: token?.signedAtEpochMs }
}

function reasonAgainst(token: Token, user: string, rules: IamRules, nowEpochMs: number): IamReason {
  const credentials = rules.credentials.find(({ accessKeyId }) => accessKeyId === token.accessKeyId)
  if (!credentials) return 'access key'
  if (!isSigned(token, credentials.secretAccessKey)) return 'signature'
  const sessionToken = token.query.get('X-Amz-Security-Token') ?? undefined
  if (sessionToken !== credentials.sessionToken) return 'session token'
  const isDsql = rules.service === 'dsql'
  // Who may be whom is Aurora DSQL's own business: its tokens name no user, but `admin` has an action.
  const action = isDsql ? (user === 'admin' ? 'DbConnectAdmin' : 'DbConnect') : 'connect'
  if (token.service !== rules.service || token.query.get('Action') !== action) return 'service'
  if (token.region !== rules.region) return 'region'
  if (token.address !== (isDsql ? rules.host : `${rules.host}:${rules.port}`)) return 'host'
  if (!isDsql && token.query.get('DBUser') !== user) return 'user'
  const ageMs = nowEpochMs - token.signedAtEpochMs
  if (ageMs > Math.min(rules.maxAgeMs, token.expiresAfterMs) || ageMs < -CLOCK_SKEW_MS) return 'age'
  return nowEpochMs < (credentials.expiresAtEpochMs ?? Infinity) ? 'ok' : 'credentials expired'
}

function parse(text: string): Token | undefined {
  const [address, search, ...more] = text.split('/?')
  if (!address || search === undefined || more.length > 0) return undefined
  const query = new URLSearchParams(search)
  const scope = (query.get('X-Amz-Credential') ?? '').split('/')
  const [accessKeyId = '', date = '', region = '', service = '', end] = scope
  const signedAt = query.get('X-Amz-Date') ?? ''
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(signedAt)?.slice(1).map(Number)
  const isComplete =
    query.get('X-Amz-Algorithm') === ALGORITHM &&
    query.get('X-Amz-SignedHeaders') === 'host' &&
    query.getAll('X-Amz-Signature').length === 1 &&
    scope.length === 5 &&
    end === 'aws4_request' &&
    signedAt.startsWith(date)
  if (!parts || !isComplete) return undefined
  const [year = 0, month = 0, day, hour, minute, second] = parts
  const signedAtEpochMs = Date.UTC(year, month - 1, day, hour, minute, second)
  const expiresAfterMs = Number(query.get('X-Amz-Expires') ?? Number.NaN) * 1000
  if (!(expiresAfterMs > 0)) return undefined
  return { address, query, accessKeyId, date, region, service, signedAt, signedAtEpochMs, expiresAfterMs }
}

/** Over what the token says of itself; whether that is what the server wants is another question. */
function isSigned(token: Token, secretAccessKey: string): boolean {
  const { address, query, date, region, service, signedAt } = token
  const canonicalQuery = [...query]
    .filter(([key]) => key !== 'X-Amz-Signature')
    .map(([key, value]) => `${encoded(key)}=${encoded(value)}`)
    .toSorted()
    .join('&')
  const request = `GET\n/\n${canonicalQuery}\nhost:${address}\n\nhost\n${sha256('')}`
  const text = `${ALGORITHM}\n${signedAt}\n${date}/${region}/${service}/aws4_request\n${sha256(request)}`
  const scope = [date, region, service, 'aws4_request']
  const key = scope.reduce<Buffer>(
    (secret, part) => hmac(secret, part),
    Buffer.from(`AWS4${secretAccessKey}`),
  )
  const expected = Buffer.from(hmac(key, text).toString('hex'))
  const actual = Buffer.from(query.get('X-Amz-Signature') ?? '')
  return actual.length === expected.length && timingSafeEqual(actual, expected)
}

/** RFC 3986, which leaves fewer characters as they are than JavaScript does. */
function encoded(text: string): string {
  const code = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  return encodeURIComponent(text).replace(/[!'()*]/g, code)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
