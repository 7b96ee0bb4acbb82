import { once } from 'node:events'
import { connect, createServer } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'

import { beforeAll, describe, expect, it } from 'vitest'

import { createAuthority } from '../src/index.ts'
import type { Authority, TlsFiles } from '../src/index.ts'

describe('a certificate authority for tests', () => {
  let authority: Authority

  beforeAll(async () => {
    authority = await createAuthority()
  })

  it('issues certificates for localhost and for 127.0.0.1, if nothing else is asked for', async () => {
    const files = await authority.issue()
    expect(files.ca).toBe(authority.ca)
    expect(await handshake(files, { servername: 'localhost' })).toBe('trusted')
    expect(await handshake(files, { host: '127.0.0.1' })).toBe('trusted')
  })

  it('issues certificates for any name, which are for no other', async () => {
    const name = 'db.example.eu-west-1.rds.amazonaws.com'
    const files = await authority.issue({ names: [name] })
    expect(await handshake(files, { servername: name })).toBe('trusted')
    expect(await handshake(files, { servername: 'localhost' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(await handshake(files, { host: '127.0.0.1' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  it('issues certificates whose time is over', async () => {
    const files = await authority.issue({ expired: true })
    expect(await handshake(files, { servername: 'localhost' })).toBe('CERT_HAS_EXPIRED')
  })

  it('is trusted by those who know it, and is not the next one', async () => {
    const files = await authority.issue()
    const { ca } = await createAuthority()
    expect(ca).not.toBe(authority.ca)
    const refused = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
    expect(await handshake(files, { servername: 'localhost', ca })).toBe(refused)
    expect(await handshake(files, { servername: 'localhost', ca: undefined })).toBe(refused)
  })
})

/** What a client says about a server with these files: `trusted`, or an error's code. */
async function handshake(
  { ca, certificate, privateKey }: TlsFiles,
  options: ConnectionOptions,
): Promise<string | undefined> {
  const server = createServer({ cert: certificate, key: privateKey }).on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const client = connect({ host: '127.0.0.1', port, ca, ...options })
  try {
    await once(client, 'secureConnect')
    return 'trusted'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  } finally {
    client.destroy()
    server.close()
  }
}
