// A certificate authority for one run of tests: servers that a client can trust, and servers that it must not.
// Keys exist in memory and in the folders of running servers only, so none is ever committed or expires.
import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'

import forge from 'node-forge'

import { LOOPBACK } from './free-port.ts'
import type { TlsFiles } from './tls-files.ts'

export interface CertificateOptions {
  /**
   * Host names and IP addresses that the certificate is for.
   * @defaultValue `localhost` and `127.0.0.1`, where the servers listen
   */
  readonly names?: readonly string[] | undefined
  /** The certificate's time is over: it was valid for a day and has not been for another. @defaultValue false */
  readonly expired?: boolean | undefined
}

export interface Authority {
  /** Its own certificate, PEM: what a client has to trust. */
  readonly ca: string
  /** A new key and a certificate for it, valid from an hour ago until tomorrow. */
  issue(options?: CertificateOptions): Promise<TlsFiles>
}

const KEY_BITS = 2048
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Makes a certificate authority that nobody knows. Two of them have different keys and different names. */
export async function createAuthority(): Promise<Authority> {
  const keys = await generateKeyPair()
  const name = [{ name: 'commonName', value: `Leasehold test authority ${randomBytes(4).toString('hex')}` }]
  const own = unsigned(keys.publicKey, name, name, false)
  own.setExtensions([
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ])
  own.sign(keys.privateKey, forge.md.sha256.create())
  const ca = forge.pki.certificateToPem(own)
  return {
    ca,
    issue: async ({ names = ['localhost', LOOPBACK], expired = false } = {}) => {
      const { publicKey, privateKey } = await generateKeyPair()
      const subject = [{ name: 'commonName', value: 'Leasehold test server' }]
      const certificate = unsigned(publicKey, subject, name, expired)
      certificate.setExtensions([
        { name: 'basicConstraints', cA: false, critical: true },
        { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        { name: 'subjectAltName', altNames: names.map(alternativeName) },
      ])
      certificate.sign(keys.privateKey, forge.md.sha256.create())
      return {
        ca,
        certificate: forge.pki.certificateToPem(certificate),
        privateKey: forge.pki.privateKeyToPem(privateKey),
      }
    },
  }
}

function unsigned(
  publicKey: forge.pki.rsa.PublicKey,
  subject: forge.pki.CertificateField[],
  issuer: forge.pki.CertificateField[],
  expired: boolean,
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = publicKey
  // A leading zero bit would be needed for a number that begins with a one: it must not be negative.
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`
  const fromEpochMs = Date.now() - (expired ? 2 * DAY_MS : HOUR_MS)
  certificate.validity.notBefore = new Date(fromEpochMs)
  certificate.validity.notAfter = new Date(fromEpochMs + DAY_MS)
  certificate.setSubject(subject)
  certificate.setIssuer(issuer)
  return certificate
}

/** Types of general names: 2 is a DNS name, 7 an IP address. RFC 5280, section 4.2.1.6. */
function alternativeName(name: string): { type: number; value?: string; ip?: string } {
  return isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name }
}

/** On a thread of its own: Node's implementation is used, not the library's. */
function generateKeyPair(): Promise<forge.pki.rsa.KeyPair> {
  return new Promise((resolve, reject) => {
    forge.pki.rsa.generateKeyPair({ bits: KEY_BITS }, (error: Error | null, keys) => {
      if (error) reject(error)
      else resolve(keys)
    })
  })
}
