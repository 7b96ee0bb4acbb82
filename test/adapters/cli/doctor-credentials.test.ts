// Real faults of credentials: secrets that can't be read, tokens for another endpoint, user, region or time.
import dns from 'node:dns'

import {
  createAuthority,
  type DatabaseServer,
  iamAvailability,
  startPostgres,
} from '@leasehold/test-databases'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

import { FakeSecretsManager } from '../../aws/secrets-manager.ts'
import { leadEveryNameHere } from '../rds-names.ts'
import { doctorScene, notRun } from './scene.ts'

const AFTER_CREDENTIALS = [
  'token', 'login', 'version', 'proxy', 'rights', 'slots', 'pressure', 'time', 'lease',
] // prettier-ignore

/** Made up; the servers of the tests know them, nobody else does. Short, because PAM cuts long tokens. */
const SIGNER = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'of no use to anybody', sessionToken: 'short' }
const AWS = {
  AWS_ACCESS_KEY_ID: SIGNER.accessKeyId,
  AWS_SECRET_ACCESS_KEY: SIGNER.secretAccessKey,
  AWS_SESSION_TOKEN: SIGNER.sessionToken,
}

describe('a password from a secret', () => {
  const scene = doctorScene()
  let server: DatabaseServer
  let secrets: FakeSecretsManager

  beforeAll(async () => {
    server = await startPostgres({ maxConnections: 12 })
    secrets = await FakeSecretsManager.start()
  })
  afterEach(() => secrets.always(undefined))
  afterAll(async () => {
    await secrets.stop()
    await server.dispose()
  })

  const args = (id: string): string[] => {
    scene.collector.knows('the password', server.login.password)
    scene.collector.knows('what signs', SIGNER.secretAccessKey)
    return [
      '--secret',
      id,
      '--secret-endpoint',
      secrets.endpoint,
      '--region',
      'eu-west-1',
      '--timeout-ms',
      '4000',
    ]
  }
  const place = (): string[] => [`postgres://${server.host}:${server.port}/${server.database}`]
  const { login } = {
    login: (): object => ({ username: server.login.user, password: server.login.password }),
  }

  it('logs in with what is in it', async () => {
    const arn = secrets.put('right', login())
    const examined = await scene.doctor([...place(), ...args(arn)], AWS)
    expect(examined.faults).toEqual([])
    expect(examined.step('credentials').findings[0]?.summary).toBe(
      `user and password for ${server.login.user}`,
    )
  })

  it('goes where it says, when nobody else does, and is read before anything', async () => {
    const { host, port, database } = server
    secrets.put('placed', { ...login(), host, port, dbname: database })
    const examined = await scene.doctor(['--engine', 'postgresql', ...args('placed')], AWS)
    expect(examined.faults).toEqual([])
    expect(examined.steps[0]?.step).toBe('credentials')
    expect(examined.step('port').findings[0]?.summary).toContain(`${host}:${port}`)
  })

  it('names one that is not there, and logs in nowhere', async () => {
    const examined = await scene.doctor([...place(), ...args('nowhere')], AWS)
    expect(examined.exitCode).toBe(1)
    expect(examined.faults).toEqual(['CREDENTIALS_INVALID'])
    expect(examined.step('credentials').findings[0]?.summary).toMatch(
      /ResourceNotFoundException.*check name, account/,
    )
    expect(notRun(examined)).toEqual(AFTER_CREDENTIALS)
  })

  it('names one that may not be read', async () => {
    secrets.always({ kind: 'denied' })
    const examined = await scene.doctor([...place(), ...args('right')], AWS)
    expect(examined.faults).toEqual(['CREDENTIALS_INVALID'])
    expect(examined.step('credentials').findings[0]?.summary).toContain('secretsmanager:GetSecretValue')
  })

  it('names one that nobody hands out in time', async () => {
    secrets.always({ kind: 'throttled' })
    const examined = await scene.doctor([...place(), ...args('right')], AWS)
    expect(examined.faults).toEqual(['CREDENTIALS_UNAVAILABLE'])
  })

  it('names one with a password that the server refuses', async () => {
    const stale = scene.collector.knows('a password', 'of the rotation before')
    secrets.put('stale', { username: server.login.user, password: stale })
    const examined = await scene.doctor([...place(), ...args('stale')], AWS)
    expect(examined.faults).toEqual(['PASSWORD_REFUSED'])
  })

  it('names one that a file of options describes', async () => {
    const credentials = { secret: 'nowhere', endpoint: secrets.endpoint, region: 'eu-west-1' }
    const file = await scene.file('options.json', JSON.stringify({ credentials }))
    const examined = await scene.doctor([...place(), '--options', file], AWS)
    expect(examined.faults).toEqual(['CREDENTIALS_INVALID'])
  })
})

const RDS_NAME = 'shop.abc123.eu-west-1.rds.amazonaws.com'
const OTHER_NAME = 'stock.abc123.eu-west-1.rds.amazonaws.com'

const servers = iamAvailability()

describe.each(servers.filter(({ available }) => available))('a token on $name', ({ engine, start }) => {
  const scene = doctorScene()
  let server: DatabaseServer
  let ca = ''
  let certificate = ''

  beforeAll(async () => {
    const authority = await createAuthority()
    certificate = authority.ca
    server = await start({
      tls: await authority.issue({ names: ['localhost', 'db.example', RDS_NAME] }),
      iam: { users: ['iam_one'], host: RDS_NAME, region: 'eu-west-1', credentials: [SIGNER] },
    })
    server.iam?.setAddress(RDS_NAME, server.port)
  })
  afterEach(() => vi.restoreAllMocks())
  afterAll(() => server.dispose())

  const args = async (host: string, ...more: string[]): Promise<string[]> => {
    scene.collector.knows('what signs', SIGNER.secretAccessKey)
    ca = await scene.file('ca.pem', certificate)
    const scheme = engine === 'postgresql' ? 'postgres' : 'mysql'
    return [`${scheme}://iam_one@${host}:${server.port}/${server.database}`, '--ca', ca, '--iam', ...more]
  }

  it('is fine where it is for the endpoint that is connected to', async () => {
    leadEveryNameHere()
    const examined = await scene.doctor(await args(RDS_NAME), AWS)
    expect(examined.faults.filter((fault) => fault !== 'LABELS_HIDDEN')).toEqual([])
    expect(examined.step('token').findings[0]?.summary).toBe(
      `signed for ${RDS_NAME}:${server.port}, eu-west-1, as iam_one`,
    )
  })

  it('is told to be for another endpoint, before it is shown to anybody', async () => {
    leadEveryNameHere()
    const seen = server.iam?.verdicts().length
    const examined = await scene.doctor(await args(RDS_NAME, '--token-host', OTHER_NAME), AWS)
    expect(examined.faults).toEqual(['TOKEN_WRONG_HOST'])
    expect(examined.step('token').findings[0]?.summary).toContain(
      `${OTHER_NAME}:${server.port}, connected to ${RDS_NAME}`,
    )
    expect(notRun(examined)).toEqual(AFTER_CREDENTIALS.slice(1))
    expect(server.iam?.verdicts()).toHaveLength(seen ?? -1)
  })

  it('is told to be for the endpoint that a CNAME leads to', async () => {
    leadEveryNameHere()
    vi.spyOn(dns.promises.Resolver.prototype, 'resolveCname').mockImplementation((name: string) =>
      name === 'db.example' ? Promise.resolve([RDS_NAME]) : Promise.reject(new Error('ENODATA')),
    )
    const right = await scene.doctor(await args('db.example', '--token-host', RDS_NAME), AWS)
    expect(right.step('login').status).toBe('fine')
    const wrong = await scene.doctor(await args('db.example', '--token-host', OTHER_NAME), AWS)
    expect(wrong.faults).toEqual(['TOKEN_WRONG_HOST'])
  })

  it('cannot be signed for a host that is none of AWS', async () => {
    const examined = await scene.doctor(await args('localhost'), AWS)
    expect(examined.faults).toEqual(['CREDENTIALS_INVALID'])
    expect(examined.step('credentials').findings[0]?.summary).toContain('is not an endpoint of RDS')
  })

  it('is told to be for another region than the endpoint is in', async () => {
    leadEveryNameHere()
    const examined = await scene.doctor(await args(RDS_NAME, '--region', 'us-east-1'), AWS)
    expect(examined.faults).toEqual(['TOKEN_WRONG_REGION'])
  })

  it('is refused through a tunnel when it is for another endpoint, and what it is for is said', async () => {
    const examined = await scene.doctor(await args('localhost', '--token-host', OTHER_NAME), AWS)
    expect(examined.faults).toEqual(['TOKEN_REFUSED'])
    expect(examined.step('login').findings[0]?.summary).toContain(`signed for ${OTHER_NAME}`)
    expect(server.iam?.verdicts().at(-1)?.reason).toBe('host')
  })

  it('is refused when the clocks differ, and both times are said', async () => {
    leadEveryNameHere()
    server.iam?.setMaxAgeMs(0)
    try {
      const examined = await scene.doctor(await args(RDS_NAME), AWS)
      expect(examined.faults).toEqual(['TOKEN_REFUSED'])
      expect(examined.step('login').findings[0]?.summary).toMatch(
        /at \d{8}T\d{6}Z for 900 s; here it is \d\d:\d\d:\d\d/,
      )
      expect(examined.step('login').findings[0]?.remedy).toContain('clock')
    } finally {
      server.iam?.setMaxAgeMs(900_000)
    }
  })

  it('is not sent without TLS', async () => {
    leadEveryNameHere()
    const [url = ''] = await args(RDS_NAME)
    const examined = await scene.doctor([url, '--iam', '--no-tls'], AWS)
    expect(examined.faults).toEqual(['TLS_OFF', 'TOKEN_WITHOUT_TLS'])
  })

  it('needs somebody to sign it', async () => {
    leadEveryNameHere()
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    const examined = await scene.doctor(await args(RDS_NAME), {})
    vi.unstubAllEnvs()
    expect(examined.faults).toEqual(['CREDENTIALS_INVALID'])
  })
})

const missing = servers.filter(({ available }) => !available)

describe.skipIf(missing.length > 0).each(missing)('$name cannot verify tokens here: $remedy', () => {
  it('takes tokens', () => {})
})
