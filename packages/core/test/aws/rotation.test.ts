import { describe, expect, it } from 'vitest'

import type { Credential } from '../../src/credentials.ts'
import { rejectionOf } from '../scene.ts'
import { drive, logIn, request, TARGET } from './scene.ts'
import { ARN, secretScenes } from './secret-scene.ts'

const scenes = secretScenes()

/** A database that knows users and their passwords. */
class Database {
  readonly passwords = new Map<string, string>()

  constructor(user: string, password: string) {
    this.passwords.set(user, password)
  }

  readonly admits = ({ user, password }: Credential): boolean => this.passwords.get(user ?? '') === password
}

const of = (username: string, password: string): object => ({ username, password })

describe('a rotation that replaces the password in place', () => {
  it('costs one refused attempt when it ends, and none after it', async () => {
    scenes.manager.put(ARN, of('app', 'p1'))
    const { clock, source } = scenes.open()
    const database = new Database('app', 'p1')
    await logIn(source, database.admits)
    scenes.manager.createPending(ARN, of('app', 'p2'))
    database.passwords.set('app', 'p2')
    scenes.manager.finishRotation(ARN)
    expect((await drive(clock, logIn(source, database.admits))).attempts).toBe(2)
    expect((await drive(clock, logIn(source, database.admits))).attempts).toBe(1)
    expect(scenes.manager.stages).toEqual(['AWSCURRENT', 'AWSCURRENT'])
  })

  it('is bridged by the pending version while the database is ahead, and that one is remembered', async () => {
    scenes.manager.put(ARN, of('app', 'p1'))
    const { clock, source } = scenes.open()
    const database = new Database('app', 'p1')
    await logIn(source, database.admits)
    scenes.manager.createPending(ARN, of('app', 'p2'))
    database.passwords.set('app', 'p2')
    // The server is spared the second attempt with the same password.
    expect((await drive(clock, logIn(source, database.admits))).attempts).toBe(2)
    expect(scenes.manager.stages).toEqual(['AWSCURRENT', 'AWSCURRENT', 'AWSPENDING'])
    for (let time = 0; time < 5; time += 1) {
      expect((await drive(clock, logIn(source, database.admits))).attempts).toBe(1)
    }
    expect(scenes.manager.requestCount).toBe(3)
  })

  it('is followed from the pending version to the current one at the next reading', async () => {
    scenes.manager.put(ARN, of('app', 'p1'))
    const { clock, source } = scenes.open({ ttlMs: 60_000 })
    const database = new Database('app', 'p1')
    await logIn(source, database.admits)
    scenes.manager.createPending(ARN, of('app', 'p2'))
    database.passwords.set('app', 'p2')
    await drive(clock, logIn(source, database.admits))
    // Read again while nothing has changed: the pending one stays the first.
    await clock.advance(60_000)
    await logIn(source, database.admits)
    await scenes.manager.received(4)
    await clock.settle()
    expect((await logIn(source, database.admits)).attempts).toBe(1)
    scenes.manager.finishRotation(ARN, false)
    await clock.advance(60_000)
    await logIn(source, database.admits)
    await scenes.manager.received(5)
    await clock.settle()
    expect((await logIn(source, database.admits)).attempts).toBe(1)
    expect(scenes.manager.stages.slice(3)).toEqual(['AWSCURRENT', 'AWSCURRENT'])
  })

  it('is found once for all who are refused at the same time', async () => {
    scenes.manager.put(ARN, of('app', 'p1'))
    const { clock, source } = scenes.open()
    const database = new Database('app', 'p1')
    await logIn(source, database.admits)
    scenes.manager.createPending(ARN, of('app', 'p2'))
    database.passwords.set('app', 'p2')
    const all = Promise.all(Array.from({ length: 20 }, () => logIn(source, database.admits)))
    const logIns = await drive(clock, all)
    expect(logIns.map(({ credential }) => credential?.password)).toEqual(
      Array.from({ length: 20 }, () => 'p2'),
    )
    expect(scenes.manager.requestCount).toBe(3)
  })

  it('that ends between the two readings is found by a third', async () => {
    scenes.manager.put(ARN, of('app', 'p1'))
    const { clock, source } = scenes.open()
    const database = new Database('app', 'p1')
    await logIn(source, database.admits)
    scenes.manager.createPending(ARN, of('app', 'p2'))
    database.passwords.set('app', 'p2')
    let release: () => void = () => undefined
    scenes.manager.next({ kind: 'slow', until: new Promise((resolve) => (release = resolve)) })
    const loggedIn = logIn(source, database.admits)
    await scenes.manager.received(2)
    scenes.manager.finishRotation(ARN, false)
    release()
    expect(await drive(clock, loggedIn)).toMatchObject({ credential: { user: 'app' }, attempts: 2 })
    expect(scenes.manager.stages.slice(1)).toEqual(['AWSCURRENT', 'AWSPENDING', 'AWSCURRENT'])
  })

  it('three times in a row, with every step seen by a connect, fails none', async () => {
    scenes.manager.put(ARN, of('app', 'p0'))
    const { clock, source } = scenes.open()
    const database = new Database('app', 'p0')
    const connect = async (): Promise<void> => {
      const logIns = Promise.all([1, 2, 3].map(() => logIn(source, database.admits)))
      for (const { credential, attempts } of await drive(clock, logIns)) {
        expect(credential).toBeDefined()
        // The core asks four times at the most.
        expect(attempts).toBeLessThanOrEqual(4)
      }
    }
    for (const password of ['p1', 'p2', 'p3']) {
      await connect()
      scenes.manager.createPending(ARN, of('app', password))
      await connect()
      database.passwords.set('app', password)
      await connect()
      scenes.manager.finishRotation(ARN, password !== 'p2')
      await connect()
    }
    // And one that begins while the pending one of the last is still in use.
    scenes.manager.createPending(ARN, of('app', 'p4'))
    database.passwords.set('app', 'p4')
    await connect()
    scenes.manager.finishRotation(ARN)
    scenes.manager.createPending(ARN, of('app', 'p5'))
    database.passwords.set('app', 'p5')
    await connect()
  })

  it('that is taken back is followed back', async () => {
    scenes.manager.put(ARN, of('app', 'p1'))
    const { clock, source } = scenes.open()
    const database = new Database('app', 'p1')
    await logIn(source, database.admits)
    scenes.manager.createPending(ARN, of('app', 'p2'))
    database.passwords.set('app', 'p2')
    await drive(clock, logIn(source, database.admits))
    database.passwords.set('app', 'p1')
    const { credential } = await drive(clock, logIn(source, database.admits))
    expect(credential?.password).toBe('p1')
    expect((await logIn(source, database.admits)).attempts).toBe(1)
  })

  it('is found by the count of refusals alone, where nobody says what was refused', async () => {
    scenes.manager.put(ARN, of('app', 'p1'))
    const { source } = scenes.open()
    await source.get(request())
    scenes.manager.createPending(ARN, of('app', 'p2'))
    expect(await source.get(request({ refusals: 1 }))).toMatchObject({ password: 'p2' })
    expect(await source.get(request({ refusals: 3 }))).toBeUndefined()
  })
})

describe('a rotation between two users', () => {
  it('changes the user with the password, and never refuses who missed it', async () => {
    scenes.manager.put(ARN, of('app', 'p1'))
    const { clock, source } = scenes.open({ ttlMs: 60_000 })
    const database = new Database('app', 'p1')
    await logIn(source, database.admits)
    scenes.manager.createPending(ARN, of('app_clone', 'p2'))
    database.passwords.set('app_clone', 'p2')
    scenes.manager.finishRotation(ARN)
    expect((await logIn(source, database.admits)).credential?.user).toBe('app')
    await clock.advance(60_000)
    await logIn(source, database.admits)
    await scenes.manager.received(2)
    await clock.settle()
    expect(await logIn(source, database.admits)).toMatchObject({
      credential: { user: 'app_clone' },
      attempts: 1,
    })
  })

  it('is caught up with by who missed two of them', async () => {
    scenes.manager.put(ARN, of('app', 'p1'))
    const { clock, source } = scenes.open()
    const database = new Database('app', 'p1')
    await logIn(source, database.admits)
    for (const [user, password] of [
      ['app_clone', 'p2'],
      ['app', 'p3'],
    ] as const) {
      scenes.manager.createPending(ARN, of(user, password))
      database.passwords.set(user, password)
      scenes.manager.finishRotation(ARN)
    }
    expect(await drive(clock, logIn(source, database.admits))).toMatchObject({
      credential: { user: 'app' },
      attempts: 2,
    })
  })
})

describe('a wrong password', () => {
  it('is looked for once more, and then the server has the last word', async () => {
    scenes.manager.put(ARN, of('app', 'wrong'))
    const { clock, source } = scenes.open()
    const result = await drive(
      clock,
      logIn(source, () => false),
    )
    expect(result).toEqual({ credential: undefined, attempts: 1 })
    expect(scenes.manager.stages).toEqual(['AWSCURRENT', 'AWSCURRENT', 'AWSPENDING', 'AWSCURRENT'])
  })

  it('does not hammer Secrets Manager', async () => {
    scenes.manager.put(ARN, of('app', 'wrong'))
    const { clock, source } = scenes.open({ ttlMs: 86_400_000 })
    for (let turn = 0; turn < 600; turn += 1) {
      const result = await drive(
        clock,
        logIn(source, () => false),
      )
      expect(result.credential).toBeUndefined()
      await clock.advance(100)
    }
    // One minute, ten a second: renewals after 1, 2, 4, … s, three readings each.
    expect(scenes.manager.requestCount).toBeLessThanOrEqual(1 + 3 * 7)
  })

  it('at one server does not delay the renewal for another', async () => {
    scenes.manager.put(ARN, of('app', 'p1'))
    const { clock, source } = scenes.open()
    await drive(
      clock,
      logIn(source, () => false, { ...TARGET, host: 'other' }),
    )
    const database = new Database('app', 'p2')
    scenes.manager.put(ARN, of('app', 'p2'))
    expect((await drive(clock, logIn(source, database.admits))).credential).toBeDefined()
  })

  it('while Secrets Manager is away is told as that', async () => {
    scenes.manager.put(ARN, of('app', 'p1'))
    const { clock, source } = scenes.open()
    await logIn(source, () => true)
    scenes.manager.always({ kind: 'unavailable' })
    const error = await drive(clock, rejectionOf(logIn(source, () => false)))
    expect(error).toMatchObject({ code: 'CREDENTIALS_UNAVAILABLE' })
  })

  it('where a policy allows the current version alone is told by the server', async () => {
    scenes.manager.put(ARN, of('app', 'p1'))
    const { clock, source } = scenes.open()
    const old = await source.get(request())
    scenes.manager.createPending(ARN, of('app', 'p2'))
    const slow = { kind: 'slow', until: Promise.resolve() } as const
    scenes.manager.next(slow, { kind: 'denied' })
    const refused = old === undefined ? [] : [old]
    expect(await drive(clock, source.get(request({ refusals: 1, refused })))).toBeUndefined()
  })
})
