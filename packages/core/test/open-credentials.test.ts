import { describe, expect, it } from 'vitest'

import type { CredentialRequest, CredentialSource } from '../src/credentials.ts'
import { failureDetails } from '../src/errors.ts'
import { open } from '../src/open.ts'
import { fakeDialect } from '../src/testing/fake-dialect.ts'
import { FakeServer } from '../src/testing/fake-server.ts'
import { rejectionOf, setScene } from './scene.ts'

const TARGET = { host: 'db.example', port: 5432, user: 'app' }

/** A server with one password, and a pool whose source gives `passwords` by the number of refusals. */
function loggingIn(passwords: readonly (string | undefined)[], forEver?: string) {
  const requests: CredentialRequest[] = []
  const credentials: CredentialSource = {
    isClearText: false,
    get: (request) => {
      requests.push(request)
      const password = passwords[request.refusals] ?? forEver
      return Promise.resolve(password === undefined ? undefined : { user: undefined, password })
    },
  }
  const scene = setScene({ credentials })
  const server = new FakeServer({ clock: scene.clock, password: 'right' })
  const result = open(
    { dialect: fakeDialect, ...scene },
    ({ credential, signal }) => server.connect({ password: credential?.password, signal }),
    undefined,
    TARGET,
  )
  result.catch(() => undefined)
  return { ...scene, requests, result }
}

describe('opening with a source of credentials', () => {
  it('logs in with what the source gives for the target that is connected to', async () => {
    const { clock, requests, result } = loggingIn(['right'])
    await clock.advance(0)
    await result
    expect(requests.map(({ target, refusals }) => ({ target, refusals }))).toEqual([
      { target: TARGET, refusals: 0 },
    ])
  })

  it('asks for another credential when the server refuses the first, and logs in with that', async () => {
    const { clock, requests, result, stats } = loggingIn(['old', 'right'])
    await clock.advance(0)
    await result
    expect(requests.map(({ refusals }) => refusals)).toEqual([0, 1])
    expect(stats).toMatchObject({ denied: 1, gaveUp: 0 })
  })

  it('goes on to what a rotation is about to make current', async () => {
    const { clock, result, stats } = loggingIn(['old', 'old', 'right'])
    await clock.advance(0)
    await result
    expect(stats.denied).toBe(2)
  })

  it('surfaces the server’s own refusal when the source has nothing else to try', async () => {
    const { clock, requests, result } = loggingIn(['old', undefined])
    await clock.advance(0)
    const error = await rejectionOf(result)
    expect(fakeDialect.classify(error)).toBe('auth')
    expect(failureDetails(error)).toMatchObject({ kind: 'auth' })
    expect(requests).toHaveLength(2)
  })

  it('does not hammer the server with a source that always has another', async () => {
    const { clock, requests, result } = loggingIn([], 'wrong')
    await clock.advance(60_000)
    expect(fakeDialect.classify(await rejectionOf(result))).toBe('auth')
    expect(requests).toHaveLength(5)
  })

  it('starts no connect with a credential that comes when its attempt is over', async () => {
    let answers = 0
    const scene = setScene({ connectTimeoutMs: 500 })
    const { clock } = scene
    const credentials: CredentialSource = {
      isClearText: false,
      get: async () => {
        answers += 1
        if (answers === 1) await clock.sleep(2_000)
        return { user: undefined, password: 'right' }
      },
    }
    let connects = 0
    const options = { ...scene.options, credentials }
    const result = open(
      { dialect: fakeDialect, ...scene, options },
      async () => {
        connects += 1
        await Promise.resolve()
      },
      undefined,
      TARGET,
    )
    await clock.advance(5_000)
    await result
    expect({ answers, connects }).toEqual({ answers: 2, connects: 1 })
  })

  it('surfaces the source’s own error, and connects nowhere', async () => {
    const failure = new Error('the secret cannot be fetched')
    const credentials: CredentialSource = { isClearText: false, get: () => Promise.reject(failure) }
    const scene = setScene({ credentials })
    let connects = 0
    const result = open(
      { dialect: fakeDialect, ...scene },
      () => {
        connects += 1
        return Promise.resolve()
      },
      undefined,
      TARGET,
    )
    result.catch(() => undefined)
    await scene.clock.advance(0)
    expect(await rejectionOf(result)).toBe(failure)
    expect(connects).toBe(0)
  })
})
