import { chmod, mkdtemp, readdir, readFile, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { createAuthority, iamAvailability, startMariadb, startPostgres } from '../src/index.ts'
import type { DatabaseServer, Iam, IamCredentials, IamVerdict } from '../src/index.ts'
import { pamServicesOf } from './pam-services.ts'
import { rdsToken } from './rds-token.ts'
import type { TokenOptions } from './rds-token.ts'
import { logIn } from './token-client.ts'
import type { TokenClient, TokenLogin } from './token-client.ts'

const HOST = 'db.example.eu-west-1.rds.amazonaws.com'
const USER = 'iam_user'
const OTHER = 'an.other@user'
const CREDENTIALS: IamCredentials = {
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: 'made/up+secret',
  sessionToken: 'short/session+token==',
}

for (const { name, engine, available, remedy, start } of iamAvailability()) {
  const isPostgres = engine === 'postgresql'
  const title = available ? name : `${name} (not here: ${remedy})`
  const refusal = isPostgres
    ? { code: '28000', message: `PAM authentication failed for user "${USER}"` }
    : { errno: 1045, sqlState: '28000' }
  describe.skipIf(!available)(`${title} with logins by token`, () => {
    let folder: string
    let server: DatabaseServer
    let iam: Iam
    let earlier: number

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'leasehold-test-'))
      await chmod(folder, 0o755)
      vi.stubEnv('TMPDIR', folder)
      const { issue } = await createAuthority()
      server = await start({
        tls: await issue(),
        iam: {
          users: [USER, OTHER],
          host: HOST,
          port: 5432,
          region: 'eu-west-1',
          credentials: [CREDENTIALS],
        },
      })
      if (!server.iam) throw new Error('started without logins by token')
      iam = server.iam
    })

    afterAll(async () => {
      expect(await pamServicesOf(folder)).toHaveLength(1)
      await server.dispose()
      vi.unstubAllEnvs()
      await rmdir(folder)
      expect(await pamServicesOf(folder)).toEqual([])
    })

    beforeEach(() => {
      iam.setMaxAgeMs(900_000)
      iam.setCredentials([CREDENTIALS])
      earlier = iam.verdicts().length
    })

    function token(options: Partial<TokenOptions> = {}): string {
      const { host, port, region } = iam
      return rdsToken({ user: USER, host, port, region, credentials: CREDENTIALS, ...options })
    }

    function enter(login: Partial<TokenLogin> = {}): Promise<TokenClient> {
      return logIn(server, { user: USER, token: token(), ...login })
    }

    async function enterAndLeave(login?: Partial<TokenLogin>): Promise<unknown> {
      const client = await enter(login)
      const user = await client.user()
      await client.end()
      return user
    }

    const verdicts = (): readonly IamVerdict[] => iam.verdicts().slice(earlier)

    it('lets in who has a token for the right host, port, region and user', async () => {
      const signedAtEpochMs = Date.now() - 60_000
      expect(await enterAndLeave({ token: token({ signedAtEpochMs }) })).toBe(USER)
      const wholeSecond = Math.floor(signedAtEpochMs / 1000) * 1000
      expect(verdicts()).toEqual([{ user: USER, accepted: true, reason: 'ok', signedAtEpochMs: wholeSecond }])
      expect(await enterAndLeave({ user: OTHER, token: token({ user: OTHER }) })).toBe(OTHER)
    })

    it.each([
      ['host', { host: '127.0.0.1' }],
      ['host', { port: 3306 }],
      ['region', { region: 'eu-west-2' }],
      ['service', { service: 'dsql' }],
      ['user', { user: OTHER }],
      ['access key', { credentials: { ...CREDENTIALS, accessKeyId: 'ASIAOTHER' } }],
      ['signature', { credentials: { ...CREDENTIALS, secretAccessKey: 'guessed' } }],
      ['session token', { credentials: { ...CREDENTIALS, sessionToken: undefined } }],
      ['age', { signedAtEpochMs: Date.now() - 960_000 }],
      ['age', { signedAtEpochMs: Date.now() - 120_000, expiresAfterMs: 60_000 }],
      ['age', { signedAtEpochMs: Date.now() + 600_000 }],
    ] as const)('refuses a token with the wrong %s (%j)', async (reason, options) => {
      await expect(enter({ token: token(options) })).rejects.toMatchObject(refusal)
      expect(verdicts()).toMatchObject([{ user: USER, accepted: false, reason }])
    })

    it.each([
      ['signature', (text: string) => text.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))],
      ['signature', (text: string) => text.replace('Expires=900', 'Expires=999')],
      ['malformed', (text: string) => text.replace('X-Amz-Date', 'X-Amz-Day')],
      ['malformed', () => 'a password'],
    ] as const)('refuses a token that was changed: %s', async (reason, change) => {
      await expect(enter({ token: change(token()) })).rejects.toMatchObject(refusal)
      expect(verdicts()).toMatchObject([{ accepted: false, reason }])
    })

    it('takes tokens of 510 bytes, and says so if one is longer than PAM lets through', async () => {
      const sized = (bytes: number): IamCredentials => {
        const rest = token({ credentials: { ...CREDENTIALS, sessionToken: '' } }).length
        return { ...CREDENTIALS, sessionToken: 's'.repeat(bytes - rest) }
      }
      const [long, tooLong, muchTooLong] = [sized(510), sized(511), sized(1300)]
      iam.setCredentials([long])
      await enterAndLeave({ token: token({ credentials: long }) })
      for (const credentials of [tooLong, muchTooLong]) {
        await expect(enter({ token: token({ credentials }) })).rejects.toMatchObject(refusal)
      }
      expect(verdicts().map(({ reason }) => reason)).toEqual(['ok', 'too long', 'too long'])
    })

    it('changes the age limit while it runs, and leaves the sessions alone', async () => {
      const old = { token: token({ signedAtEpochMs: Date.now() - 10_000 }) }
      const client = await enter(old)
      iam.setMaxAgeMs(3000)
      await expect(enter(old)).rejects.toMatchObject(refusal)
      expect(await client.user()).toBe(USER)
      await client.end()
      await enterAndLeave()
      iam.setMaxAgeMs(60_000)
      await enterAndLeave(old)
      expect(verdicts().map(({ reason }) => reason)).toEqual(['ok', 'age', 'ok', 'ok'])
    })

    it('refuses a young token whose credentials have expired, or were replaced', async () => {
      iam.setCredentials([{ ...CREDENTIALS, expiresAtEpochMs: Date.now() - 1 }])
      await expect(enter()).rejects.toMatchObject(refusal)
      const next = { ...CREDENTIALS, accessKeyId: 'ASIANEXT', secretAccessKey: 'next' }
      iam.setCredentials([next])
      await expect(enter()).rejects.toMatchObject(refusal)
      await enterAndLeave({ token: token({ credentials: next }) })
      expect(verdicts().map(({ reason }) => reason)).toEqual(['credentials expired', 'access key', 'ok'])
    })

    it('can be moved to another address', async () => {
      const { host, port } = iam
      const here = token()
      iam.setAddress('proxy.example.net', 3306)
      try {
        expect(iam).toMatchObject({ host: 'proxy.example.net', port: 3306 })
        await expect(enter({ token: here })).rejects.toMatchObject(refusal)
        await enterAndLeave()
      } finally {
        iam.setAddress(host, port)
      }
      await enterAndLeave({ token: here })
    })

    it('refuses who comes without TLS; MariaDB has seen the token by then', async () => {
      await expect(enter({ tls: false })).rejects.toMatchObject(
        isPostgres ? { code: '28000', message: expect.stringContaining('no encryption') } : refusal,
      )
      expect(verdicts().map(({ reason }) => reason)).toEqual(isPostgres ? [] : ['ok'])
    })

    it('takes many logins at once', async () => {
      const users = await Promise.all(Array.from({ length: 8 }, () => enterAndLeave()))
      expect(users).toEqual(Array.from({ length: 8 }, () => USER))
      expect(verdicts()).toHaveLength(8)
    })

    it('keeps logins by password as they are', async () => {
      const login = await server.createLogin()
      await expect(enter({ user: login.user })).rejects.toThrow(/authentication|Access denied|plugin/)
      expect(verdicts()).toEqual([])
    })

    it.runIf(isPostgres)('asks every member of the role rds_iam for a token', async () => {
      const { user } = await server.createLogin()
      await server.admin(`grant rds_iam to ${user}`)
      expect(await enterAndLeave({ user, token: token({ user }) })).toBe(user)
    })

    it('goes on when the server was killed and started', async () => {
      await server.kill()
      await server.start()
      expect(await enterAndLeave()).toBe(USER)
    })

    it('writes no token down', async () => {
      const accepted = token()
      const refused = token({ host: 'elsewhere' })
      await enterAndLeave({ token: accepted })
      await expect(enter({ token: refused })).rejects.toThrow()
      const signatures = [accepted, refused].map((text) => /Signature=(\w+)/.exec(text)?.[1] ?? '')
      const files = await readdir(folder, { recursive: true, withFileTypes: true })
      for (const file of files.filter((entry) => entry.isFile())) {
        const content = await readFile(join(file.parentPath, file.name), 'latin1')
        for (const signature of signatures) expect(content.includes(signature), file.name).toBe(false)
      }
      expect(files.length).toBeGreaterThan(10)
    })
  })
}

describe('logins by token that can not be had', () => {
  const iam = { region: 'eu-west-1', credentials: [CREDENTIALS] }

  it('are an error without TLS', async () => {
    await expect(startPostgres({ major: 15, iam })).rejects.toThrow('`iam` needs `tls`')
    await expect(startMariadb({ iam })).rejects.toThrow('`iam` needs `tls`')
  })

  it('are an error that says what to do without PAM, or without the right to use it', async () => {
    const { issue } = await createAuthority()
    const options = { tls: await issue(), iam }
    const getuid = vi.spyOn(process, 'getuid').mockReturnValue(1000)
    try {
      expect(iamAvailability().map(({ available }) => available)).toEqual([false, false])
      await expect(startPostgres({ major: 15, ...options })).rejects.toThrow('libpam-modules), and root')
      await expect(startMariadb(options)).rejects.toThrow('libpam-modules), and root')
    } finally {
      getuid.mockRestore()
    }
  })

  it('are an error that says what to do on a PostgreSQL without PAM', async () => {
    const { issue } = await createAuthority()
    await expect(startPostgres({ major: 18, tls: await issue(), iam })).rejects.toThrow(
      /without PAM: use .*15/,
    )
  })
})
