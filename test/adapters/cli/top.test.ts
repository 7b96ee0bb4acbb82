// `leasehold top` as a process of its own, on a terminal and in a pipe, over the sessions of two fleets.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { createPool as createMysqlPool } from '@leasehold/mysql-adapter'
import { createPool as createPgPool } from '@leasehold/pg-adapter'
import { type DatabaseServer, type Relay, startMariadb, startRelay } from '@leasehold/test-databases'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../eventually.ts'
import { doctorScene, ENGINES, urlOf } from './scene.ts'
import { TerminalProgram, type TerminalSize } from './terminal.ts'

const MAIN = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url))
const PROGRAM = [process.execPath, '--conditions=@leasehold/source', MAIN]
const SIZE = { columns: 110, rows: 24 }
const EVERY = ['--interval-ms', '250']

interface Fleet {
  end(): Promise<unknown>
}

describe.each(ENGINES)('top on $name', ({ name, scheme, start }) => {
  const scene = doctorScene()
  let server: DatabaseServer
  let relay: Relay
  const fleets: Fleet[] = []
  const programs: TerminalProgram[] = []

  beforeAll(async () => {
    server = await start({
      maxConnections: 30,
      settings: name === 'MariaDB' ? { performance_schema: 'ON' } : {},
    })
    relay = await startRelay(server)
    fleets.push(await fleetOf('orders', 'checkout', 3), await fleetOf('reports', 'nightly', 2))
    // Their first census comes after they were given back.
    await eventually('all is quiet', async () => (await server.sessions()).every(({ idle }) => idle))
  })
  afterEach(() => {
    for (const program of programs.splice(0)) {
      scene.collector.print('what a terminal was told', program.raw)
      program.end()
    }
  })
  afterAll(async () => {
    for (const fleet of fleets) await fleet.end()
    await relay.close()
    await server.dispose()
  })

  /** That many sessions, idle in one pool. */
  const fleetOf = async (fleet: string, of: string, count: number): Promise<Fleet> => {
    const { host, port, database, login } = server
    const target = { host, port, database, ...login, fleet, reap: false }
    if (scheme === 'postgres') {
      const pool = createPgPool({ ...target, max: count, application_name: of })
      const clients = await Promise.all(Array.from({ length: count }, () => pool.connect()))
      for (const client of clients) client.release()
      return pool
    }
    const pool = createMysqlPool({
      ...target,
      connectionLimit: count,
      connectAttributes: { program_name: of },
    }).promise()
    const connections = await Promise.all(Array.from({ length: count }, () => pool.getConnection()))
    for (const connection of connections) connection.release()
    return pool
  }
  const url = (through: { host: string; port: number } = server): string => {
    scene.collector.knows('the password', server.login.password)
    return urlOf(scheme, server, { host: through.host, port: through.port })
  }
  const onTerminal = (args: readonly string[], size: TerminalSize = SIZE): TerminalProgram => {
    const program = new TerminalProgram([...PROGRAM, 'top', ...args], size)
    programs.push(program)
    return program
  }
  const ownSessions = async (): Promise<number> => (await server.sessions(server.login.user)).length - 5

  it('counts the slots, and tells the fleets and itself apart', async () => {
    const { exitCode, stdout } = await scene.leasehold(['top', url(), '--once'])
    expect(exitCode).toBe(0)
    const used = 6 + server.controlSessions
    expect(stdout).toContain(`slots: ${used} of ${server.slots + server.controlSessions} used`)
    expect(stdout).toMatch(/^orders +checkout +3 +- +3 /m)
    expect(stdout).toMatch(/^reports +nightly +2 +- +2 /m)
    expect(stdout).toMatch(/^leasehold-top +top +1 +1 +- /m)
    await eventually('its session has ended', async () => (await ownSessions()) === 0)
  })

  it('prints one JSON object a look, with every session in it', async () => {
    const { stdout } = await scene.leasehold(['top', url(), '--once', '--json', '--fleet', 'orders'])
    const look = JSON.parse(stdout) as {
      usedCount: number
      sessions: { fleet: string; state: string; stateMs: number }[]
    }
    expect(look.usedCount).toBe(6 + server.controlSessions)
    expect(look.sessions.map(({ fleet, state }) => `${fleet} ${state}`)).toEqual(Array(3).fill('orders idle'))
    for (const { stateMs } of look.sessions) expect(stateMs).toBeGreaterThanOrEqual(0)
  })

  it('redraws on a terminal, takes another size, and quits at a key', async () => {
    const program = onTerminal([url(), ...EVERY])
    await program.shows('both tables', (lines) => lines.some((line) => line.startsWith('q quits')))
    expect(program.isOnOtherScreen).toBe(true)
    expect(program.lines[0]).toMatch(/^leasehold top {2}.+ \d\d:\d\d:\d\d$/)
    expect(program.lines.filter((line) => line.startsWith('orders '))).toHaveLength(1)
    expect(program.lines.filter((line) => /^ *\*\d+ {2}leasehold-top/.test(line))).toHaveLength(1)
    const first = program.lines[0]
    await program.shows('another second', ([line]) => line !== first)

    await program.resize({ columns: 50, rows: 12 })
    await program.shows('the narrow heading', (lines) =>
      lines.some((line) => /^FLEET.+SESSIONS( +ACTIVE)?( +IDLE)?$/.test(line)),
    )
    await program.shows('all of it', (lines) => lines.some((line) => line.startsWith('q quits')))
    expect(program.lines.filter((line) => line.startsWith('leasehold top'))).toHaveLength(1)
    await program.resize({ columns: 140, rows: 40 })
    await program.shows('the wide heading', (lines) => lines.some((line) => line.endsWith('HIDDEN')))

    program.type('q')
    expect(await program.exitCode).toBe(0)
    expect(program.isOnOtherScreen).toBe(false)
    await eventually('its session has ended', async () => (await ownSessions()) === 0)
  })

  it('quits at Ctrl-C, and gives the cursor back', async () => {
    const program = onTerminal([url(), ...EVERY])
    await program.shows('a table', (lines) => lines.some((line) => line.startsWith('orders')))
    program.type('\u0003')
    expect(await program.exitCode).toBe(0)
    expect(program.raw.lastIndexOf('\u001B[?25h')).toBeGreaterThan(program.raw.lastIndexOf('\u001B[?25l'))
  })

  it('says that the connection went away, and that there is another', async () => {
    const program = onTerminal([url(relay), ...EVERY])
    await program.shows('a table', (lines) => lines.some((line) => line.startsWith('orders')))
    relay.reset()
    await program.shows('the new connection', (lines) => /^connected again at \d\d:/.test(lines[1] ?? ''))
    program.type('q')
    expect(await program.exitCode).toBe(0)
  })

  it('prints a table at every interval into a pipe, and leaves when the pipe is closed', async () => {
    const [node = '', ...args] = [...PROGRAM, 'top', url(), ...EVERY]
    const child = spawn(node, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const count = (): number => stdout.match(/^orders /gm)?.length ?? 0
    await eventually('three tables', () => count() >= 3)
    child.stdout.destroy()
    const [code] = (await once(child, 'exit')) as [number]
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).not.toContain('\u001B')
    scene.collector.print('what a pipe was told', stdout)
  })

  it('ends by itself where no look can succeed, and says what would say more', async () => {
    const wrong = scene.collector.knows('a password', 'of yesterday')
    const login = { user: server.login.user, password: wrong }
    const { exitCode, stderr, stdout } = await scene.leasehold([
      'top',
      urlOf(scheme, server, { login }),
      ...EVERY,
    ])
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toContain('`leasehold doctor` says why')
  })

  it('goes on while the server is away, and shows it when it is back', async () => {
    const program = onTerminal([url(), ...EVERY])
    await program.shows('a table', (lines) => lines.some((line) => line.startsWith('leasehold-top')))
    await server.stop()
    await program.shows('that it is gone', (lines) =>
      /^no connection since .+ trying again/.test(lines[1] ?? ''),
    )
    await server.start()
    await program.shows('the new connection', (lines) => lines[1]?.startsWith('connected again at') === true)
    program.type('q')
    expect(await program.exitCode).toBe(0)
  })
})

describe('top on a MariaDB as it comes', () => {
  const scene = doctorScene()
  it('says that fleets are not told apart', async () => {
    const server = await startMariadb()
    scene.collector.knows('the password', server.login.password)
    const { stdout } = await scene.leasehold(['top', urlOf('mysql', server), '--once'])
    await server.dispose()
    expect(stdout).toMatch(/^performance_schema is off/m)
    expect(stdout).toMatch(/^- +app +1 /m)
  })
})
