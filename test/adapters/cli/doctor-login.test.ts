// Real refusals of a login, on every engine.
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

import type { DatabaseServer, Login } from '@leasehold/test-databases'
import { createAuthority, startPostgres } from '@leasehold/test-databases'
import mysql2 from 'mysql2/promise'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { doctorScene, ENGINES, notRun, urlOf } from './scene.ts'

const QUICKLY = ['--timeout-ms', '1000']
const AFTER_LOGIN = ['version', 'proxy', 'rights', 'slots', 'pressure', 'time', 'lease']

describe.each(ENGINES)('a login that $name refuses', ({ scheme, start }) => {
  const scene = doctorScene()
  let server: DatabaseServer
  const taken: { end(): Promise<void> }[] = []

  beforeAll(async () => {
    server = await start({ maxConnections: 12, tls: await (await createAuthority()).issue() })
  })
  afterEach(async () => {
    for (const session of taken.splice(0)) await session.end()
  })
  afterAll(() => server.dispose())

  const login = (password: string): Login => {
    scene.collector.knows('a password', password)
    return { user: server.login.user, password }
  }
  const right = (): Login => login(server.login.password)
  const open = async (): Promise<{ end(): Promise<void> }> => {
    const { host, port, database } = server
    if (scheme === 'mysql') return mysql2.createConnection({ host, port, database, ...server.login })
    const client = new pg.Client({ host, port, database, ...server.login })
    client.on('error', () => {})
    await client.connect()
    return client
  }

  it('names a password that is wrong, in both forms, without showing it', async () => {
    const url = urlOf(scheme, server, { login: login('of yesterday, 100 %') })
    const examined = await scene.doctor([url, ...QUICKLY])
    expect(examined.exitCode).toBe(1)
    expect(examined.faults).toEqual(['PASSWORD_REFUSED'])
    expect(notRun(examined)).toEqual(AFTER_LOGIN)
    const { exitCode, stdout } = await scene.leasehold(['doctor', url, ...QUICKLY])
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/WRONG +login .+\n +PASSWORD_REFUSED: The server refuses user and password/)
    expect(stdout).toMatch(/not run +lease\n\n1 of 14 steps found something wrong; 7 not run/)
  })

  it('names a password that is missing', async () => {
    const { host, port, database } = server
    const examined = await scene.doctor([
      `${scheme}://${server.login.user}@${host}:${port}/${database}`,
      ...QUICKLY,
    ])
    expect(examined.faults).toEqual(['CREDENTIALS_MISSING'])
  })

  it('names a database that is not there, or that the user may not see', async () => {
    const examined = await scene.doctor([
      urlOf(scheme, server, { database: 'nowhere', login: right() }),
      ...QUICKLY,
    ])
    // MySQL and MariaDB don't tell a login without rights whether there is such a database.
    expect(examined.faults).toEqual([scheme === 'postgres' ? 'DATABASE_UNKNOWN' : 'DATABASE_DENIED'])
  })

  it('names a database that the user may not use', async () => {
    await server.admin(
      scheme === 'postgres' ? 'create database closed' : 'create database if not exists closed',
    )
    if (scheme === 'postgres') await server.admin('revoke connect on database closed from public')
    const examined = await scene.doctor([
      urlOf(scheme, server, { database: 'closed', login: right() }),
      ...QUICKLY,
    ])
    expect(examined.faults).toEqual(['DATABASE_DENIED'])
  })

  it('names a server whose slots are all taken', async () => {
    while (taken.length < server.slots) taken.push(await open())
    const startMs = performance.now()
    const examined = await scene.doctor([urlOf(scheme, server, { login: right() }), ...QUICKLY])
    expect(examined.faults).toEqual(['SATURATED'])
    expect(notRun(examined)).toEqual(expect.arrayContaining(AFTER_LOGIN))
    expect(performance.now() - startMs).toBeLessThan(6_000)
  })

  it('names a login whose own limit is reached', async () => {
    const limited = await server.createLogin({ maxConnections: 1 })
    scene.collector.knows('the password', limited.password)
    const { host, port, database } = server
    const first =
      scheme === 'mysql'
        ? await mysql2.createConnection({ host, port, database, ...limited })
        : new pg.Client({ host, port, database, ...limited })
    if (first instanceof pg.Client) await first.connect()
    taken.push(first)
    const examined = await scene.doctor([urlOf(scheme, server, { login: limited }), ...QUICKLY])
    expect(examined.faults).toEqual(['SATURATED'])
    expect(examined.step('login').status).toBe('wrong')
  })
})

describe('a login that needs TLS', () => {
  const scene = doctorScene()
  it.each(ENGINES.filter(({ scheme }) => scheme === 'mysql'))(
    'is named on $name',
    async ({ name, scheme, start }) => {
      const tls = await (await createAuthority()).issue()
      const server = await start({ tls })
      await server.admin('set global require_secure_transport = on')
      scene.collector.knows('the password', server.login.password)
      try {
        const examined = await scene.doctor([urlOf(scheme, server), ...QUICKLY])
        // MariaDB says no more than that the login is refused.
        expect(examined.faults).toEqual([name === 'MariaDB' ? 'PASSWORD_REFUSED' : 'TLS_DEMANDED'])
        expect(examined.step('login').findings[0]?.remedy).toContain('TLS')
      } finally {
        await server.dispose()
      }
    },
  )

  it.each([
    ['hostssl all all 127.0.0.1/32 scram-sha-256', 'TLS_DEMANDED'],
    ['hostssl all nobody 127.0.0.1/32 scram-sha-256', 'HOST_REFUSED'],
  ])('is told from one that no line of pg_hba.conf lets in: %s', async (line, fault) => {
    const authority = await createAuthority()
    const ca = await scene.file('ca.pem', authority.ca)
    const server = await startPostgres({ tls: await authority.issue() })
    scene.collector.knows('the password', server.login.password)
    try {
      // The library's own sessions come by replication.
      const rows = await server.admin('show hba_file')
      const file = String(rows[0]?.['hba_file'])
      const kept = (await readFile(file, 'utf8'))
        .split('\n')
        .filter((one) => /replication|postgres/.test(one))
      await writeFile(file, [line, ...kept, ''].join('\n'))
      await server.admin('select pg_reload_conf()')
      const args = fault === 'HOST_REFUSED' ? ['--ca', ca] : []
      const examined = await scene.doctor([
        urlOf('postgres', server, { host: 'localhost' }),
        ...QUICKLY,
        ...args,
      ])
      expect(examined.faults).toEqual([fault])
    } finally {
      await server.dispose()
    }
  })
})

describe('a login that gets an unusual answer', () => {
  const scene = doctorScene()
  const servers: Server[] = []
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  /** Speaks as PostgreSQL up to the answer to the login. */
  const answering = async (answer: (socket: Socket) => void): Promise<string> => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (data) => {
        const isQuestion = data.length === 8 && data.readUInt32BE(4) === 80_877_103
        if (isQuestion) socket.write('N')
        else answer(socket)
      })
    })
    servers.push(server)
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return `postgres://app@127.0.0.1:${port}/app`
  }
  const error = (code: string, message: string): Buffer => {
    const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`)
    const head = Buffer.alloc(5)
    head.write('E')
    head.writeUInt32BE(fields.length + 4, 1)
    return Buffer.concat([head, fields])
  }

  it.each([
    ['57P03', 'the database system is starting up', 'SERVER_STARTING'],
    ['XX000', 'something broke', 'LOGIN_FAILED'],
    [
      '28000',
      'no pg_hba.conf entry for host "10.0.0.1", user "app", database "app", SSL encryption',
      'HOST_REFUSED',
    ],
  ])('tells %s (%s) as %s', async (code, message, fault) => {
    const url = await answering((socket) => void socket.end(error(code, message)))
    const examined = await scene.doctor([url, ...QUICKLY])
    expect(examined.faults).toEqual([fault])
    expect(examined.step('login').findings[0]?.summary).toContain(code)
  })

  it('gives up one that does not answer', async () => {
    const url = await answering(() => {})
    const startMs = performance.now()
    expect((await scene.doctor([url, ...QUICKLY])).faults).toEqual(['NO_ANSWER'])
    expect(performance.now() - startMs).toBeLessThan(4_000)
  })

  it('shows nothing of a password that a server sends back', async () => {
    const password = scene.collector.knows('the password', 'an echoed password')
    const url = await answering((socket) => void socket.end(error('XX000', `bad ${password} given`)))
    const examined = await scene.doctor([
      url.replace('app@', `app:${encodeURIComponent(password)}@`),
      ...QUICKLY,
    ])
    expect(examined.step('login').findings[0]?.summary).toContain('bad (hidden) given')
  })
})
