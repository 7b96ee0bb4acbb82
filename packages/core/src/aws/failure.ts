/** What an error of AWS means for us: wait, or mend the set-up. And what of it may be shown. */

import { LeaseholdError } from '../errors.ts'

/** Waiting may help. Names from the SDK's own lists, and clocks that differ: the SDK has learnt by then. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'InternalFailure',
  'InternalServerError',
  'InternalServiceError',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestTimeTooSkewed',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'TimeoutError',
  'TooManyRequestsException',
  'TransactionInProgressException',
])

const CREDENTIALS = 'the function has no valid AWS credentials: check its role'

const REMEDIES: Readonly<Record<string, string>> = {
  AccessDeniedException:
    'allow `secretsmanager:GetSecretValue` on it, and `kms:Decrypt` on its key if that is your own',
  DecryptionFailure: 'allow `kms:Decrypt` on its key, and check that the key is enabled',
  InvalidRequestException: 'is it scheduled for deletion?',
  ResourceNotFoundException: 'check name, account, region and version stage',
  CredentialsProviderError: CREDENTIALS,
  ExpiredTokenException: CREDENTIALS,
  InvalidClientTokenId: CREDENTIALS,
  UnrecognizedClientException: CREDENTIALS,
  InvalidSignatureException: CREDENTIALS,
}

interface Described {
  readonly name?: unknown
  readonly code?: unknown
  readonly $fault?: unknown
  readonly $metadata?: { readonly httpStatusCode?: unknown }
}

export function nameOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'an unknown error'
  const { name, code } = error as Described
  if (typeof code === 'string' && code !== '') return code
  return typeof name === 'string' && name !== '' ? name : 'an unknown error'
}

export function isTransient(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  if (LeaseholdError.is(error)) return error.code === 'CONNECT_TIMEOUT'
  const { name, code, $fault, $metadata } = error as Described
  const status = $metadata?.httpStatusCode
  if (typeof status === 'number' && (status >= 500 || status === 429)) return true
  if ($fault === 'server' || (typeof name === 'string' && TRANSIENT.has(name))) return true
  return isOfTheNetwork(code) && $fault === undefined
}

/** Secrets Manager's own word, in whatever shape: its exceptions have names that end so. */
export function isOfService(error: unknown): boolean {
  const name = nameOf(error)
  return name.endsWith('Exception') || name === 'DecryptionFailure' || name === 'InternalServiceError'
}

/** There were too many requests. Names from the SDK's own list. */
export function isThrottled(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { name, $metadata } = error as Described
  return $metadata?.httpStatusCode === 429 || (typeof name === 'string' && THROTTLED.test(name))
}

const THROTTLED =
  /Throttl|TooManyRequests|RequestLimitExceeded|LimitExceededException|ThroughputExceeded|SlowDown/

/** `ENOTFOUND` is what a function without a way to the Internet sees, for a moment or for ever. */
function isOfTheNetwork(code: unknown): boolean {
  return typeof code === 'string' && /^(E[A-Z_]{3,}|UND_ERR_[A-Z_]+)$/.test(code)
}

/** What was wanted, as a message tells it. */
export interface Wanted {
  readonly what: string
  readonly limitMs: number
  /** Requests that were sent; 0 where it was none. */
  readonly attempts: number
  /** What to look at when there was no answer. */
  readonly ifUnavailable: string
}

export function failureOf(error: unknown, wanted: Wanted): LeaseholdError {
  if (LeaseholdError.is(error) && error.code !== 'CONNECT_TIMEOUT') return error
  const { what, limitMs, attempts, ifUnavailable } = wanted
  const options = { cause: showable(error) }
  if (isTransient(error)) {
    const how = LeaseholdError.is(error) ? `no answer within ${limitMs} ms` : nameOf(error)
    const tried = attempts > 1 ? `${attempts} attempts, last ${how}` : how
    const message = `cannot get ${what} (${tried}): ${ifUnavailable}`
    return new LeaseholdError('CREDENTIALS_UNAVAILABLE', message, options)
  }
  const name = nameOf(error)
  const remedy = REMEDIES[name] ?? 'see the cause, where there is one'
  return new LeaseholdError('CREDENTIALS_INVALID', `cannot get ${what} (${name}): ${remedy}`, options)
}

/**
 * What can be shown of an error. A parser's error quotes what it could not read, which may be the secret:
 * it is dropped. The service's own have the HTTP exchange in hidden members that cannot be taken off,
 * session token included: those are told again, name, message and request id.
 */
function showable(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined
  if (LeaseholdError.is(error)) return error
  const { name, code, $fault, $metadata } = error as Described
  if ('$responseBodyText' in error && $fault === undefined) return undefined
  if ($fault !== undefined) {
    const retold = Object.assign(new Error(error.message), { $fault, ...($metadata && { $metadata }) })
    Object.defineProperty(retold, 'name', { value: name, enumerable: false })
    return retold
  }
  return isOfTheNetwork(code) || SAFE.has(String(name)) ? error : undefined
}

/** Raised before anything was sent. */
const SAFE: ReadonlySet<string> = new Set(['CredentialsProviderError', 'TimeoutError'])
