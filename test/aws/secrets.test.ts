// What secret() makes of Secrets Manager, on our own fake and on an emulator that others wrote.
import type { Credential } from '@leasehold/core'
import { secret } from '@leasehold/core/aws'
import type { SecretOptions, SecretSource } from '@leasehold/core/aws'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { logIn, request } from '../../packages/core/test/aws/scene.ts'
import { rejection } from '../adapters/eventually.ts'
import {
  type Answer,
  askFor,
  IDENTITY,
  onEverySecretStore,
  REGION,
  type SecretStore,
} from './secret-stores.ts'

const RDS = {
  username: 'app',
  password: 'p1',
  engine: 'postgres',
  host: 'db.example',
  port: 5432,
  dbname: 'shop',
}

onEverySecretStore('a secret', (start) => {
  let store: SecretStore
  beforeAll(async () => {
    store = await start()
  })
  afterAll(() => (store as SecretStore | undefined)?.dispose())

  const open = (id: string, options: SecretOptions = {}): SecretSource =>
    secret(id, { endpoint: store.endpoint, region: REGION, credentials: IDENTITY, ...options })

  const given = async (source: SecretSource): Promise<[string | undefined, string | undefined]> => {
    const credential = await source.get(request())
    return [credential?.user, credential?.password]
  }

  it("in RDS's shape gives user, password and endpoint", async () => {
    await store.create('rds', RDS)
    const source = open('rds')
    expect(await given(source)).toEqual(['app', 'p1'])
    expect(await source.endpoint()).toEqual({ host: 'db.example', port: 5432, database: 'shop' })
  })

  it('in plain text is the password', async () => {
    await store.create('plain', 'p{lain')
    expect(await given(open('plain'))).toEqual([undefined, 'p{lain'])
  })

  it('in binary form', async () => {
    await store.create('binary', { username: 'app', password: 'pä' }, true)
    expect(await given(open('binary'))).toEqual(['app', 'pä'])
  })

  it('is found by its ARN, in the region that the ARN has, and by its ARN without the end', async () => {
    const arn = await store.create('by-arn', RDS)
    expect(arn).toMatch(/^arn:aws:secretsmanager:eu-west-1:\d{12}:secret:by-arn-[A-Za-z0-9]{6}$/)
    expect(await given(open(arn, { region: undefined }))).toEqual(['app', 'p1'])
    expect(await given(open(arn.slice(0, -7)))).toEqual(['app', 'p1'])
  })

  it('of another stage is read where that is asked for', async () => {
    await store.create('stages', 'p1')
    await store.replace('stages', 'p2')
    expect(await given(open('stages'))).toEqual([undefined, 'p2'])
    expect(await given(open('stages', { versionStage: 'AWSPREVIOUS' }))).toEqual([undefined, 'p1'])
  })

  it.each([
    ['that is not there', 'none', {}],
    ['that has no version at the stage', 'current-alone', { versionStage: 'AWSPENDING' }],
  ])('%s is an error that waiting does not help', async (_condition, id, options) => {
    if (id !== 'none') await store.create(id, 'p1')
    const error = await rejection(open(id, options).get(request()))
    expect(error).toMatchObject({
      code: 'CREDENTIALS_INVALID',
      cause: {
        name: 'ResourceNotFoundException',
        message: expect.stringMatching(/^Secrets Manager can't find/),
      },
    })
    expect(error.message).toContain('check name, account, region and version stage')
  })

  it('that is scheduled for deletion is an error that waiting does not help', async () => {
    await store.create('deleted', 'p1')
    await store.delete('deleted')
    const error = await rejection(open('deleted').get(request()))
    expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID', cause: { name: 'InvalidRequestException' } })
  })

  it('is answered with all its members, and with the labels of each step of a rotation', async () => {
    const arn = await store.create('labels', 'p1')
    const at = async (stage: string): Promise<Answer> =>
      (await askFor(store.endpoint, 'GetSecretValue', { SecretId: 'labels', VersionStage: stage })).body
    const labels = async (stage: string): Promise<string[]> =>
      [...((await at(stage)).VersionStages ?? [])].toSorted()

    const first = await at('AWSCURRENT')
    expect(first).toEqual({
      ARN: arn,
      Name: 'labels',
      VersionId: expect.stringMatching(/^[\da-f-]{36}$/),
      VersionStages: ['AWSCURRENT'],
      CreatedDate: expect.closeTo(Date.now() / 1000, -2),
      SecretString: 'p1',
    })
    await store.createPending('labels', 'p2')
    expect(await labels('AWSCURRENT')).toEqual(['AWSCURRENT'])
    expect(await labels('AWSPENDING')).toEqual(['AWSPENDING'])
    await store.finishRotation('labels')
    expect(await labels('AWSCURRENT')).toEqual(['AWSCURRENT', 'AWSPENDING'])
    expect(await labels('AWSPENDING')).toEqual(['AWSCURRENT', 'AWSPENDING'])
    expect(await labels('AWSPREVIOUS')).toEqual(['AWSPREVIOUS'])
    expect((await at('AWSPREVIOUS')).VersionId).toBe(first.VersionId)
    await store.createPending('labels', 'p3')
    expect(await labels('AWSCURRENT')).toEqual(['AWSCURRENT'])
    await store.finishRotation('labels')
    expect(await at('AWSCURRENT')).toMatchObject({ SecretString: 'p3' })
    expect(await at('AWSPREVIOUS')).toMatchObject({ SecretString: 'p2', VersionStages: ['AWSPREVIOUS'] })
  })

  it('whose password is replaced in place is followed, pending version first', async () => {
    const of = (password: string): object => ({ ...RDS, password })
    await store.create('in-place', of('p0'))
    const source = open('in-place')
    let right = 'p0'
    const enter = async (): Promise<[string | undefined, number]> => {
      const { credential, attempts } = await logIn(source, ({ password }) => password === right)
      return [credential?.password, attempts]
    }
    expect(await enter()).toEqual(['p0', 1])
    // The second time, a login also tries what was current when the source last read.
    for (const [next, attempts] of [
      ['p1', 2],
      ['p2', 3],
    ] as const) {
      await store.createPending('in-place', of(next))
      right = next
      // The database is ahead: AWSCURRENT cannot log in, and no login fails for it.
      expect(await enter()).toEqual([next, attempts])
      expect(await enter()).toEqual([next, 1])
      await store.finishRotation('in-place')
      expect(await enter()).toEqual([next, 1])
    }
    expect(await given(open('in-place'))).toEqual(['app', 'p2'])
  })

  it('whose users take turns is followed, user and password', async () => {
    const of = (username: string, password: string): object => ({ ...RDS, username, password })
    await store.create('in-turn', of('blue', 'p0'))
    const source = open('in-turn')
    const passwords = new Map([['blue', 'p0']])
    const isRight = ({ user = '', password }: Credential): boolean => passwords.get(user) === password
    await logIn(source, isRight)
    for (const [user, password] of [
      ['green', 'p1'],
      ['blue', 'p2'],
      ['green', 'p3'],
    ] as const) {
      await store.createPending('in-turn', of(user, password))
      passwords.set(user, password)
      // Whoever holds the other user is not disturbed.
      expect((await logIn(source, isRight)).attempts).toBeLessThanOrEqual(2)
      await store.finishRotation('in-turn')
    }
    // A whole rotation later the other user's password has been replaced.
    passwords.delete('blue')
    expect((await logIn(source, isRight)).credential).toMatchObject({ user: 'green', password: 'p3' })
  })

  it('that brings nothing new leaves the last word to the server', async () => {
    await store.create('wrong', RDS)
    expect(await logIn(open('wrong'), () => false)).toEqual({ credential: undefined, attempts: 1 })
  })
})
