// Real faults of TLS: what a server's certificate may lack, and what is not asked for that should be.
import { type Authority, createAuthority, type DatabaseServer } from '@leasehold/test-databases'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

import { leadEveryNameHere, trustTowardsRds } from '../rds-names.ts'
import { doctorScene, ENGINES, type Examined, notRun, urlOf } from './scene.ts'

const RDS_NAME = 'shop.abc123.eu-west-1.rds.amazonaws.com'
const AFTER_TLS = [
  'credentials', 'token', 'login', 'version', 'proxy', 'rights', 'slots', 'pressure', 'time', 'lease',
] // prettier-ignore

describe.each(ENGINES)('TLS of $name', ({ name, scheme, start }) => {
  const scene = doctorScene()
  let authority: Authority
  const servers: Record<string, DatabaseServer> = {}

  beforeAll(async () => {
    authority = await createAuthority()
    const withoutTls = name === 'MySQL' ? { settings: { tls_version: '' } } : {}
    servers['none'] = await start(withoutTls)
    servers['right'] = await start({
      tls: await authority.issue({ names: ['localhost', 'db.example', RDS_NAME] }),
    })
    servers['another name'] = await start({ tls: await authority.issue({ names: ['elsewhere.example'] }) })
    servers['expired'] = await start({ tls: await authority.issue({ expired: true }) })
  })
  afterEach(() => {
    vi.restoreAllMocks()
    trustTowardsRds()
  })
  afterAll(async () => {
    for (const server of Object.values(servers)) await server.dispose()
  })

  const optionsWith = (ssl: object): Promise<string> =>
    scene.file('options.json', JSON.stringify({ lease: 'client', ...ssl }))
  /** Without the step that waits for a lease to run out. */
  const examine = async (server: string, host: string, ...args: string[]): Promise<Examined> => {
    const of = servers[server] as DatabaseServer
    scene.collector.knows('the password', of.login.password)
    const leaseless = await scene.file('leaseless.json', JSON.stringify({ lease: 'client' }))
    return scene.doctor([
      urlOf(scheme, of, { host }),
      '--timeout-ms',
      '2000',
      '--options',
      leaseless,
      ...args,
    ])
  }
  const trusting = async (server: string): Promise<Examined> => {
    const ca = await scene.file('ca.pem', authority.ca)
    return examine(server, 'localhost', '--ca', ca)
  }

  it('is fine with the authority that is named', async () => {
    const examined = await trusting('right')
    expect(examined.step('tls')).toMatchObject({ status: 'fine' })
    expect(examined.step('tls').findings[0]?.summary).toMatch(
      /TLSv1\.\d, certificate for localhost issued by Leasehold/,
    )
    expect(examined.step('login').status).toBe('fine')
  })

  it.each([
    ['expired', 'TLS_EXPIRED', 'CERT_HAS_EXPIRED'],
    ['another name', 'TLS_WRONG_NAME', 'elsewhere.example'],
    ['none', 'TLS_NOT_OFFERED', 'offers none'],
  ])('names a certificate that is wrong: %s', async (server, fault, words) => {
    const examined = await trusting(server)
    expect(examined.exitCode).toBe(1)
    expect(examined.faults).toEqual([fault])
    expect(examined.step('tls').findings[0]?.summary).toContain(words)
    expect(notRun(examined)).toEqual(AFTER_TLS)
  })

  it('names a certificate of an authority that nobody trusts', async () => {
    const other = await scene.file('other.pem', (await createAuthority()).ca)
    const examined = await examine('right', 'localhost', '--ca', other)
    expect(examined.faults).toEqual(['TLS_UNTRUSTED'])
    expect(notRun(examined)).toEqual(AFTER_TLS)
  })

  it('looks at a certificate by default where the host is one of RDS', async () => {
    leadEveryNameHere()
    expect((await examine('right', RDS_NAME)).faults).toEqual(['TLS_UNTRUSTED'])
    trustTowardsRds(authority.ca)
    expect((await examine('right', RDS_NAME)).step('tls').status).toBe('fine')
  })

  it('names a handshake that fails', async () => {
    // No version of TLS that the server would take.
    const ssl = { ca: authority.ca, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }
    const options = await optionsWith({ ssl })
    const examined = await examine('right', 'localhost', '--options', options)
    expect(examined.faults).toEqual(['TLS_FAILED'])
  })

  it('warns of no TLS towards another machine, and goes on', async () => {
    leadEveryNameHere()
    const examined = await examine('right', 'db.example')
    expect(examined.step('tls')).toMatchObject({ status: 'warning', findings: [{ fault: 'TLS_OFF' }] })
    expect(examined.step('login').status).toBe('fine')
    expect(examined.exitCode).toBe(0)
  })

  it('warns of a certificate that nobody looks at, and goes on', async () => {
    const options = await optionsWith({ ssl: { rejectUnauthorized: false } })
    const examined = await examine('expired', 'localhost', '--options', options)
    expect(examined.step('tls').findings[0]?.fault).toBe('TLS_UNVERIFIED')
    expect(examined.step('login').status).toBe('fine')
  })

  it.each(scheme === 'mysql' ? [scheme] : [])(
    'warns of a name that nobody looks at, as the driver of %s leaves it',
    async () => {
      const options = await optionsWith({ ssl: { ca: authority.ca } })
      const examined = await examine('another name', 'localhost', '--options', options)
      expect(examined.step('tls').findings[0]).toMatchObject({ fault: 'TLS_UNVERIFIED' })
      expect(examined.step('tls').findings[0]?.summary).toContain('elsewhere.example')
    },
  )
})
