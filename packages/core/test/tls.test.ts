import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'

import { describe, expect, it } from 'vitest'

import { isRdsHost, rdsTls } from '../src/tls.ts'

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

  it('is made once a process, and so is its context', async () => {
    const tls = await rdsTls()
    expect(await rdsTls()).toBe(tls)
    expect(tls.secureContext).toBe(tls.secureContext)
  })
})
