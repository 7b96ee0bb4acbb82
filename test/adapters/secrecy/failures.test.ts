// Nothing leaks when a login, TLS, the server or the options fail: the errors, every line, every print.
import { type Authority, createAuthority, type DatabaseServer, type Login } from '@leasehold/test-databases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { eventually, rejection } from '../eventually.ts'
import { ENGINES, type Options, placeOf } from './engines.ts'
import { leakScene } from './scene.ts'

/** Looks different in an address, in JSON and on the console. */
const PASSWORD = 'right/p+ss "w&rd" ü=%41'
const WRONG = 'wrong/p+ss "w&rd" ü=%41'

describe.each(ENGINES)('nothing secret of $name is shown', (engine) => {
  const scene = leakScene(engine)
  const { codes, scheme } = engine
  let authority: Authority
  let server: DatabaseServer
  const withTls: Record<string, DatabaseServer> = {}
  let login: Login

  beforeAll(async () => {
    authority = await createAuthority()
    server = await engine.start({ maxConnections: 12, settings: engine.withoutTls })
    withTls['right'] = await engine.start({ tls: await authority.issue() })
    withTls['wrong name'] = await engine.start({ tls: await authority.issue({ names: ['other.example'] }) })
    withTls['expired'] = await engine.start({ tls: await authority.issue({ expired: true }) })
    await server.setPassword(server.login.user, PASSWORD)
    login = { user: server.login.user, password: PASSWORD }
  })
  afterAll(async () => {
    for (const one of [server, ...Object.values(withTls)]) await one.dispose()
  })

  const knownPassword = (password = WRONG): { user: string; password: string } => {
    scene.collector.knows('a password', password)
    return { user: login.user, password }
  }
  const uri = (password: string, query = ''): string => {
    scene.collector.knows('a password', password)
    const { host, port, database } = placeOf(server)
    return `${scheme}://${login.user}:${encodeURIComponent(password)}@${host}:${port}/${database}${query}`
  }
  const target = (): Options => ({ ...placeOf(server), ...login })

  it('while all is well', async () => {
    knownPassword(PASSWORD)
    await scene.success(target())
    await scene.success({ uri: uri(PASSWORD) })
  })

  it('when the password is wrong', async () => {
    const wrong = { ...target(), ...knownPassword() }
    expect((await scene.failure(wrong)).code).toBe(codes.denied)
    expect((await scene.singleFailure(wrong)).code).toBe(codes.denied)
  })

  it('when the password in a connection string is wrong', async () => {
    expect((await scene.failure({ uri: uri(WRONG) })).code).toBe(codes.denied)
    expect((await scene.singleFailure({ uri: uri(WRONG) })).code).toBe(codes.denied)
  })

  it('when a statement fails', async () => {
    knownPassword(PASSWORD)
    expect((await scene.failure(target(), 'selec 1')).code).toBe(codes.syntax)
  })

  it('when the server ends the session in the middle of a statement', async () => {
    knownPassword(PASSWORD)
    const failing = scene.failure(target(), engine.slowStatement.replace('0.2', '20'))
    await eventually('a session', async () => {
      const sessions = await server.sessions(login.user)
      for (const { id } of sessions) await server.terminate(id)
      return sessions.length > 0
    })
    expect(await failing).toBeInstanceOf(Error)
  })

  it('when there are too many connections until the deadline', async () => {
    knownPassword(PASSWORD)
    const others: { end(): Promise<unknown> }[] = []
    try {
      for (let count = 0; count < server.slots; count += 1) {
        const other = engine.single(target())
        await other.use()
        others.push(other)
      }
      const error = await scene.failure({ ...target(), acquireTimeoutMs: 400 })
      expect(error.code).toBe(codes.saturated)
      expect(scene.collector.shown.filter(({ kind }) => kind === 'log')).not.toEqual([])
    } finally {
      for (const other of others) await other.end()
    }
    await eventually('no session left', async () => (await server.sessions()).length === 0)
  })

  it('when the server cannot be reached', async () => {
    const nowhere = { ...target(), ...knownPassword(), port: 1 }
    expect((await scene.failure({ ...nowhere, resumeBudgetMs: 300 })).code).toBe('ECONNREFUSED')
    expect((await scene.singleFailure(nowhere)).code).toBe('ECONNREFUSED')
  })

  it('when a line goes to the console', async () => {
    const { port: _port, ...nowhere } = { ...target(), ...knownPassword() }
    const error = await scene.failure({ ...nowhere, port: 1, resumeBudgetMs: 300, logger: undefined })
    expect(error.code).toBe('ECONNREFUSED')
    expect(scene.collector.shown.filter(({ kind }) => kind === 'console')).not.toEqual([])
  })

  it.each([
    ['wrong name', /altnames/],
    ['expired', /expired/],
  ])('when the certificate is that of a server with a certificate that is %s', async (name, words) => {
    const { port, database, login: other } = withTls[name] as DatabaseServer
    scene.collector.knows('the password', other.password)
    const ssl = { ca: authority.ca, verifyIdentity: true }
    const options = { host: 'localhost', port, database, ...other, ssl }
    expect((await scene.failure(options)).message).toMatch(words)
    expect((await scene.singleFailure(options)).message).toMatch(words)
  })

  it('when the certificate is of another authority', async () => {
    const { port, database, login: other } = withTls['right'] as DatabaseServer
    scene.collector.knows('the password', other.password)
    const ssl = { ca: (await createAuthority()).ca, verifyIdentity: true }
    const options = { host: 'localhost', port, database, ...other, ssl }
    expect((await scene.failure(options)).message).toMatch(/certificate/)
    expect((await scene.singleFailure(options)).message).toMatch(/certificate/)
  })

  it('when the server offers no TLS though it should', async () => {
    const options = { ...target(), ...knownPassword(PASSWORD), ssl: { ca: authority.ca } }
    expect((await scene.failure(options)).message).toMatch(codes.noTls)
    expect((await scene.singleFailure(options)).message).toMatch(codes.noTls)
  })

  it.each<[string, (password: string) => object]>([
    ['is misspelt, next to a password', (password) => ({ maxLease: 1, password })],
    ['is out of range, next to a connection string', (password) => ({ maxLeaseMs: -1, uri: uri(password) })],
    ['is a password in the place of a fleet', (password) => ({ fleet: password })],
    ['is a password in the place of a time', (password) => ({ maxLeaseMs: password })],
    ['is a password in the place of a choice', (password) => ({ lease: password })],
    ['is a password in the place of a source', (password) => ({ credentials: password })],
    ['is a source without a way to ask it', (password) => ({ credentials: { password } })],
    ['is a password in the place of a logger', (password) => ({ logger: password })],
    ['is a password in the place of an object', (password) => ({ backoff: password })],
    ['is unknown in an object', (password) => ({ backoff: { password } })],
  ])('when an option %s', (_what, make) => {
    const { password } = knownPassword()
    const options = make(password) as Options
    for (const open of [engine.pool, engine.single]) {
      expect(scene.thrown(() => open(options)).code).toBe('INVALID_OPTIONS')
    }
  })

  it('when a connection string is not an address', async () => {
    const { password } = knownPassword()
    const broken = `${scheme}://${login.user}:${encodeURIComponent(password)}@[nowhere`
    for (const open of [engine.pool, engine.single]) {
      const fails = async (): Promise<unknown> => {
        const opened = open({ uri: broken })
        try {
          return await opened.use()
        } finally {
          await opened.end()
        }
      }
      const error = await rejection(fails())
      expect(error).toBeInstanceOf(Error)
      scene.collector.error('what was thrown', error)
    }
  })
})
