import { createConnection as createSocket, isIP } from 'node:net'

import { createConnection } from 'mysql2/promise'
import type { RowDataPacket, SslOptions } from 'mysql2/promise'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { availability, createAuthority } from '../src/index.ts'
import type { Authority, DatabaseServer } from '../src/index.ts'

const RDS_NAME = 'db.example.eu-west-1.rds.amazonaws.com'

// By message: mysql2 has one code for all of it (HANDSHAKE_SSL_ERROR).
for (const { name, engine, available, remedy, start } of await availability()) {
  const title = available ? name : `${name} (not here: ${remedy})`
  // MariaDB installs itself, or fails with the remedy.
  describe.skipIf(!available && engine !== 'mariadb')(`${title} with TLS`, () => {
    let authority: Authority
    let server: DatabaseServer

    beforeAll(async () => {
      authority = await createAuthority()
      const names = ['localhost', '127.0.0.1', RDS_NAME]
      server = await start({ tls: await authority.issue({ names }) })
    })

    afterAll(() => server.dispose())

    it('is trusted by a client that knows its authority, under each of its names', async () => {
      expect(server.tls).toEqual({ ca: authority.ca })
      for (const host of ['localhost', '127.0.0.1', RDS_NAME]) {
        expect(await cipherOf(server, host, authority.ca)).toMatch(/^TLS|^ECDHE/)
      }
    })

    it('is refused by a client that knows another authority', async () => {
      const { ca } = await createAuthority()
      await expect(cipherOf(server, 'localhost', ca)).rejects.toThrow('unable to verify')
    })

    it('is refused if the certificate is for another name', async () => {
      await expect(cipherOf(server, 'db.example.net', authority.ca)).rejects.toThrow('does not match')
    })

    it('is refused if the certificate has expired', async () => {
      const expired = await start({ tls: await authority.issue({ expired: true }) })
      try {
        await expect(cipherOf(expired, 'localhost', authority.ca)).rejects.toThrow('has expired')
      } finally {
        await expired.dispose()
      }
    })

    it('still lets clients in that do without', async () => {
      expect(await cipherOf(server, 'localhost', undefined)).toBe('')
    })

    it('can be had without, where a client that wants TLS learns that there is none it can trust', async () => {
      const plain = await start()
      try {
        expect(plain.tls).toBeUndefined()
        await expect(cipherOf(plain, 'localhost', authority.ca)).rejects.toThrow(
          engine === 'postgresql' ? 'does not support SSL' : /secure connection|self-signed/,
        )
      } finally {
        await plain.dispose()
      }
    })
  })
}

/** Connects under a name that need not exist; says which cipher the server sees, or nothing if none. */
async function cipherOf(server: DatabaseServer, host: string, ca: string | undefined): Promise<string> {
  return server.engine === 'postgresql' ? postgresCipher(server, host, ca) : mysqlCipher(server, host, ca)
}

async function postgresCipher(
  { login, host, port, database }: DatabaseServer,
  servername: string,
  ca: string | undefined,
): Promise<string> {
  const ssl = ca === undefined ? false : { ca, ...(isIP(servername) === 0 ? { servername } : {}) }
  const client = new Client({ ...login, host, port, database, ssl })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const query = 'select cipher from pg_stat_ssl where pid = pg_backend_pid()'
    const { rows } = await client.query<{ cipher: string | null }>(query)
    return rows[0]?.cipher ?? ''
  } finally {
    await client.end()
  }
}

/** Unless asked to, mysql2 does not look at the name in the certificate. */
async function mysqlCipher(
  { login, host, port, database }: DatabaseServer,
  servername: string,
  ca: string | undefined,
): Promise<string> {
  const ssl: SslOptions | undefined = ca === undefined ? undefined : { ca, verifyIdentity: true }
  const stream = createSocket(port, host)
  const client = await createConnection({
    ...login,
    host: servername,
    port,
    database,
    stream,
    ...(ssl ? { ssl } : {}),
  })
  try {
    const [rows] = await client.query<RowDataPacket[]>("show session status like 'Ssl_cipher'")
    return String(rows[0]?.['Value'])
  } finally {
    await client.end()
  }
}
