/**
 * The client's answer to SCRAM-SHA-256 (RFC 5802, RFC 7677) with the keys kept that a password is made into. To make
 * them takes thousands of hashes and more of a client's time than the rest of a login, and each hand-over of a slot is
 * a login, as is each attempt that is refused: PostgreSQL says that it is full to those who have logged in.
 */

import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'

import type { DriverClient } from './driver.ts'

/** What the driver keeps of a login that is under way. */
interface ScramSession {
  readonly mechanism: string
  readonly clientNonce: string
  readonly scramMaxIterations?: unknown
  message: string
  response: string
  serverSignature?: string
}

interface Challenge {
  readonly session: ScramSession
  readonly serverFirst: string
  readonly nonce: string
  readonly salt: string
  readonly iterations: number
}

interface ScramKeys {
  readonly clientKey: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

const MOST_KEPT = 8
const KEY_BYTES = 32
/** The header "n,,": without channel binding, and without the wish for it. */
const NO_BINDING = { plain: 'n,,', base64: 'biws' }
const SERVER_FIRST = /^r=([!-+\--~]+),s=([A-Za-z\d+/]+={0,2}),i=([1-9]\d{0,6})$/
const BASE64_DIGITS = 4
/** Passwords that mean the same in every normal form. */
const PRINTABLE_ASCII = /^[ -~]+$/

/** By a keyed digest of what they are made from, which says nothing of the password. */
const kept = new Map<string, ScramKeys>()
let digestKey: Buffer | undefined

/**
 * Answers the server's challenge in the driver's stead.
 *
 * @returns false where that is left to the driver: channel binding, other passwords than ASCII, whatever is not as usual
 */
export function answerChallenge(client: DriverClient, serverFirst: unknown): boolean {
  const { connection, password } = client
  const challenge = challengeIn(client.saslSession, serverFirst)
  if (challenge === undefined || typeof password !== 'string' || !PRINTABLE_ASCII.test(password)) return false
  const { iterations, salt, session } = challenge
  digestKey ??= randomBytes(KEY_BYTES)
  const id = createHmac('sha256', digestKey).update(`${salt} ${iterations} ${password}`).digest('base64')
  const keys = kept.get(id)
  if (keys !== undefined) {
    answer(client, challenge, keys)
    return true
  }
  pbkdf2(password, Buffer.from(salt, 'base64'), iterations, KEY_BYTES, 'sha256', (error, salted) => {
    const made = error === null ? keysOf(salted) : undefined
    if (made !== undefined) keep(id, made)
    // Meanwhile the client may have gone on to another attempt, with a connection of its own.
    if (client.connection !== connection || client.saslSession !== session) return
    if (made === undefined) connection.emit('error', error)
    else answer(client, challenge, made)
  })
  return true
}

function challengeIn(saslSession: unknown, serverFirst: unknown): Challenge | undefined {
  const session = saslSession as ScramSession | null | undefined
  if (session?.mechanism !== 'SCRAM-SHA-256' || session.message !== 'SASLInitialResponse') return undefined
  if (session.response !== `${NO_BINDING.plain}${clientFirst(session)}`) return undefined
  const parts = typeof serverFirst === 'string' ? SERVER_FIRST.exec(serverFirst) : null
  if (parts === null) return undefined
  const [whole, nonce = '', salt = '', count] = parts
  if (salt.length % BASE64_DIGITS !== 0) return undefined
  if (!nonce.startsWith(session.clientNonce) || nonce.length === session.clientNonce.length) return undefined
  const iterations = Number(count)
  const most = session.scramMaxIterations
  if (typeof most === 'number' && most !== 0 && iterations > most) return undefined
  return { session, serverFirst: whole, nonce, salt, iterations }
}

/** The driver names no user here: the server has it from the startup message. */
function clientFirst({ clientNonce }: ScramSession): string {
  return `n=*,r=${clientNonce}`
}

function keysOf(salted: Buffer): ScramKeys {
  const clientKey = hmac(salted, 'Client Key')
  return {
    clientKey,
    storedKey: createHash('sha256').update(clientKey).digest(),
    serverKey: hmac(salted, 'Server Key'),
  }
}

function keep(id: string, keys: ScramKeys): void {
  const [oldest] = kept.keys()
  if (kept.size >= MOST_KEPT && oldest !== undefined) kept.delete(oldest)
  kept.set(id, keys)
}

/** The driver holds the server's signature against the one that is left in the session. */
function answer({ connection }: DriverClient, challenge: Challenge, keys: ScramKeys): void {
  const { nonce, serverFirst, session } = challenge
  const withoutProof = `c=${NO_BINDING.base64},r=${nonce}`
  const message = `${clientFirst(session)},${serverFirst},${withoutProof}`
  const proof = hmac(keys.storedKey, message)
  for (const [at, byte] of keys.clientKey.entries()) proof[at] = (proof[at] as number) ^ byte
  session.message = 'SASLResponse'
  session.serverSignature = hmac(keys.serverKey, message).toString('base64')
  session.response = `${withoutProof},p=${proof.toString('base64')}`
  connection.sendSCRAMClientFinalMessage(session.response)
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
