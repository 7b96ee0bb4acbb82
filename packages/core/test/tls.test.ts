import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

import { createAuthority } from '../../../test/databases/src/authority.ts'
import { isRdsHost } from '../src/rds-host.ts'
import { rdsTls } from '../src/tls.ts'

const CORE = fileURLToPath(new URL('..', import.meta.url))

describe('a host of RDS', () => {
  it.each([
    'db.abc123.eu-west-1.rds.amazonaws.com',
    'shop.cluster-abc123.us-east-1.rds.amazonaws.com',
    'shop.cluster-ro-abc123.us-east-1.rds.amazonaws.com',
    'shop.proxy-abc123.eu-central-1.rds.amazonaws.com',
    'db.abc123.rds.cn-north-1.amazonaws.com.cn',
    'DB.ABC123.EU-WEST-1.RDS.AMAZONAWS.COM',
    'abc123.dsql.us-east-1.on.aws',
  ])('is known: %s', (host) => {
    expect(isRdsHost(host)).toBe(true)
  })

  it.each([
    'localhost',
    '10.0.0.7',
    'rds.amazonaws.com.example.com',
    'db.example.com',
    'xrds.amazonaws.com',
    '',
  ])('is not taken for one: %s', (host) => {
    expect(isRdsHost(host)).toBe(false)
  })
})

describe('TLS towards RDS', () => {
  it('trusts RDS’s own authorities and Node’s, and verifies server and name', async () => {
    const { ca, rejectUnauthorized, verifyIdentity } = await rdsTls()
    expect(ca.length).toBeGreaterThan(rootCertificates.length + 50)
    expect(ca).toEqual(expect.arrayContaining([...rootCertificates]))
    const subjects = ca.slice(rootCertificates.length).map((pem) => new X509Certificate(pem).subject)
    expect(subjects.filter((subject) => subject.includes('Amazon RDS')).length).toBeGreaterThan(50)
    expect({ rejectUnauthorized, verifyIdentity }).toEqual({ rejectUnauthorized: true, verifyIdentity: true })
  })

  it('trusts whom the environment adds, as `NODE_EXTRA_CA_CERTS` does for a region that is missing', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'leasehold-ca-'))
    const file = join(directory, 'more.pem')
    const { ca } = await createAuthority()
    await writeFile(file, ca)
    const script = `
      import { rdsTls } from '@leasehold/core'
      const { ca } = await rdsTls()
      console.log(JSON.stringify(ca))
    `
    const flags = ['--conditions=@leasehold/source', '--input-type=module', '--eval', script]
    const env = { NODE_EXTRA_CA_CERTS: file }
    try {
      const { stdout } = await promisify(execFile)(process.execPath, flags, {
        cwd: CORE,
        env,
        maxBuffer: 2 ** 24,
      })
      const trusted = (JSON.parse(stdout) as string[]).map((pem) => new X509Certificate(pem).fingerprint256)
      expect(trusted).toContain(new X509Certificate(ca).fingerprint256)
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it('is made once a process, and so is its context', async () => {
    const tls = await rdsTls()
    expect(await rdsTls()).toBe(tls)
    expect(tls.secureContext).toBe(tls.secureContext)
  })
})
