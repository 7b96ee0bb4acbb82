import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { DriverClient } from '../src/driver.ts'
import { answerChallenge } from '../src/scram.ts'

interface Session {
  mechanism: string
  clientNonce: string
  message: string
  response: string
  serverSignature?: string
  scramMaxIterations?: number
}

/** The driver's own, which ours is held against. */
const driver = createRequire(import.meta.url)('pg/lib/crypto/sasl.js') as {
  startSession(mechanisms: readonly string[]): Session
  continueSession(session: Session, password: string, serverFirst: string): Promise<void>
  finalizeSession(session: Session, serverFinal: string): void
}

/** A client whose server has sent its challenge, and what the client sends in answer. */
function challenged(
  password: unknown,
  { salt = randomBytes(16).toString('base64'), iterations = 4_096 } = {},
) {
  const session = driver.startSession(['SCRAM-SHA-256'])
  const sent: string[] = []
  const connection = Object.assign(new EventEmitter(), {
    sendSCRAMClientFinalMessage: (response: string) => sent.push(response),
  })
  const client = { connection, password, saslSession: session as unknown }
  const serverFirst = `r=${session.clientNonce}${randomBytes(9).toString('base64')},s=${salt},i=${iterations}`
  const answered = (first = serverFirst): boolean => answerChallenge(client as unknown as DriverClient, first)
  /** When keys had to be made: not in this turn. */
  const made = async (): Promise<void> => {
    while (sent.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return { answered, client, connection, made, sent, serverFirst, session }
}

describe('the answer to a challenge', () => {
  const anyPassword = fc
    .string({ unit: 'binary-ascii', minLength: 1 })
    .filter((text) => /^[ -~]+$/.test(text))
  const anySalt = fc
    .uint8Array({ minLength: 1, maxLength: 40 })
    .map((bytes) => Buffer.from(bytes).toString('base64'))

  it('is the driver’s own, letter by letter, and expects the same signature of the server', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyPassword,
        anySalt,
        fc.integer({ min: 1, max: 50 }),
        async (password, salt, iterations) => {
          const { answered, made, sent, serverFirst, session } = challenged(password, { salt, iterations })
          const expected = { ...session }
          await driver.continueSession(expected, password, serverFirst)
          expect(answered()).toBe(true)
          await made()
          expect(session).toEqual(expected)
          expect(sent).toEqual([expected.response])
          expect(() => driver.finalizeSession(session, `v=${expected.serverSignature}`)).not.toThrow()
          expect(() => driver.finalizeSession(session, 'v=AAAA')).toThrow('server signature does not match')
        },
      ),
    )
  })

  it('comes in the same turn once its keys are kept, until the password, the salt or the count is another', async () => {
    const salt = randomBytes(16).toString('base64')
    const first = challenged('secret', { salt })
    first.answered()
    expect(first.sent).toHaveLength(0)
    await first.made()
    const again = challenged('secret', { salt })
    again.answered()
    expect(again.sent).toHaveLength(1)
    for (const other of [
      challenged('Secret', { salt }),
      challenged('secret'),
      challenged('secret', { salt, iterations: 4_097 }),
    ]) {
      other.answered()
      expect(other.sent).toHaveLength(0)
      await other.made()
    }
  })

  it('keeps the keys of eight passwords, and makes the others anew', async () => {
    const salt = randomBytes(16).toString('base64')
    const login = async (password: string): Promise<boolean> => {
      const { answered, made, sent } = challenged(password, { salt, iterations: 1 })
      answered()
      const atOnce = sent.length > 0
      await made()
      return atOnce
    }
    for (let number = 0; number < 9; number += 1) expect(await login(`one of nine: ${number}`)).toBe(false)
    expect(await login('one of nine: 1')).toBe(true)
    expect(await login('one of nine: 0')).toBe(false)
  })

  it('is sent nowhere where the client has gone on to another attempt meanwhile', async () => {
    const { answered, client, sent } = challenged('given up')
    answered()
    client.saslSession = null
    const next = challenged('given up', { iterations: 8_192 })
    next.answered()
    await next.made()
    expect(sent).toEqual([])
  })

  it('is the sooner there for the attempt after one that was given up', async () => {
    const salt = randomBytes(16).toString('base64')
    const { answered, client } = challenged('late', { salt })
    answered()
    client.saslSession = null
    // Takes so much longer that the first is done by then.
    const other = challenged('another', { iterations: 100_000 })
    other.answered()
    await other.made()
    const again = challenged('late', { salt })
    again.answered()
    expect(again.sent).toHaveLength(1)
  })
})

describe('what is left to the driver', () => {
  const leaves = (
    change: (scene: ReturnType<typeof challenged>) => string | undefined,
    password: unknown = 'secret',
  ) => {
    const scene = challenged(password)
    const first = change(scene) ?? scene.serverFirst
    const before = { ...scene.session }
    expect(scene.answered(first)).toBe(false)
    expect(scene.session).toEqual(before)
    expect(scene.sent).toEqual([])
  }

  it('is any password that is not ASCII, empty, or none', () => {
    for (const password of ['pässwort', 'ｗｉｄｅ', 'line\nbreak', '', null, () => 'secret']) {
      leaves(() => undefined, password)
    }
  })

  it('is channel binding, and the wish for it', () => {
    leaves(({ session }) => void (session.mechanism = 'SCRAM-SHA-256-PLUS'))
    leaves(({ session }) => void (session.response = session.response.replace('n,,', 'y,,')))
  })

  it('is a message that comes out of turn', () => {
    leaves(({ session }) => void (session.message = 'SASLResponse'))
    leaves(({ client }) => void (client.saslSession = null))
  })

  it('is a nonce that is not the client’s own continued', () => {
    leaves(({ serverFirst }) => serverFirst.replace('r=', 'r=x'))
    leaves(({ session }) => `r=${session.clientNonce},s=AAAA,i=4096`)
  })

  it('is a salt that is cut short', () => {
    leaves(({ serverFirst }) => serverFirst.replace('=,i', ',i'))
  })

  it('is more iterations than the driver allows', () => {
    leaves(({ session }) => void (session.scramMaxIterations = 4_095))
  })

  it('is whatever else the server may say', () => {
    const said = [
      '',
      'e=other-error',
      's=AAAA,i=1',
      'r=a,s=AAAA,i=0',
      'r=a,s=A*,i=1',
      'm=ext,r=a,s=AAAA,i=1',
      'r=a,s=AAAA,i=1,x=y',
    ]
    for (const first of said) leaves(() => first)
  })
})
