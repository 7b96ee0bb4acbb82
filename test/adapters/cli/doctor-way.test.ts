// Real faults of the way to a server: a name that leads nowhere, ports that are closed, silent or somebody else's.
import dns from 'node:dns'
import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'

import { freePort, type Relay, startRelay } from '@leasehold/test-databases'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { doctorScene, notRun } from './scene.ts'
import { silentPort } from './silent-port.ts'

const QUICKLY = ['--timeout-ms', '500']

const AFTER_NAME = [
  'port', 'protocol', 'tls', 'credentials', 'token', 'login', 'version', 'proxy', 'rights', 'slots', 'pressure',
  'time', 'lease',
] // prettier-ignore
const AFTER_PROTOCOL = AFTER_NAME.slice(2)

const SCHEMES = ['postgres', 'mysql'] as const

describe.each(SCHEMES)('the way to a server of %s', (scheme) => {
  const scene = doctorScene()
  const closing: (() => unknown)[] = []
  afterEach(async () => {
    vi.restoreAllMocks()
    for (const close of closing.splice(0)) await close()
  })

  const url = (host: string, port: number): string => {
    scene.collector.knows('the password', 'of no use to anybody')
    return `${scheme}://app:of%20no%20use%20to%20anybody@${host}:${port}/app`
  }
  const relayTo = async (port: number): Promise<Relay> => {
    const relay = await startRelay({ host: '127.0.0.1', port })
    closing.push(() => relay.close())
    return relay
  }

  it('names a host that does not resolve, and runs nothing after that', async () => {
    const examined = await scene.doctor([url('db.leasehold.invalid', 5000)])
    expect(examined.exitCode).toBe(1)
    // A machine without DNS servers can't say that there is no such name.
    expect(['NAME_NOT_FOUND', 'NAME_LOOKUP_FAILED']).toContain(examined.faults[0])
    expect(notRun(examined)).toEqual(AFTER_NAME)
  })

  it.each([
    ['ENOTFOUND', 'NAME_NOT_FOUND'],
    ['EAI_AGAIN', 'NAME_LOOKUP_FAILED'],
  ])('tells %s of the resolver as %s', async (code, fault) => {
    vi.spyOn(dns, 'lookup').mockImplementation(((
      _host: string,
      _options: unknown,
      done: (error: Error) => void,
    ) => {
      process.nextTick(done, Object.assign(new Error('no'), { code }))
    }) as unknown as typeof dns.lookup)
    const examined = await scene.doctor([url('db.example', 5000)])
    expect(examined.faults).toEqual([fault])
    expect(examined.step('name').findings[0]?.summary).toContain(code)
  })

  it('gives up a resolver that does not answer', async () => {
    vi.spyOn(dns, 'lookup').mockImplementation(() => {})
    const examined = await scene.doctor([url('db.example', 5000), ...QUICKLY])
    expect(examined.faults).toEqual(['NAME_LOOKUP_FAILED'])
  })

  it('names a port that nothing listens on', async () => {
    const examined = await scene.doctor([url('127.0.0.1', await freePort())])
    expect(examined.faults).toEqual(['PORT_CLOSED'])
    expect(examined.step('name').status).toBe('fine')
    expect(notRun(examined)).toEqual(AFTER_NAME.slice(1))
  })

  it('names a port that drops what is sent to it, within the limit', async () => {
    const silent = await silentPort()
    closing.push(silent.close)
    const startMs = performance.now()
    const examined = await scene.doctor([url('127.0.0.1', silent.port), ...QUICKLY])
    expect(examined.faults).toEqual(['PORT_SILENT'])
    expect(performance.now() - startMs).toBeLessThan(3_000)
  })

  it('names an address that there is no way to', async () => {
    // No connection can be made to a group of hosts.
    const examined = await scene.doctor([url('224.0.0.1', 5000)])
    expect(examined.faults).toEqual(['UNREACHABLE'])
  })

  it('says of an address that it is a private one', async () => {
    let asked = 0
    vi.spyOn(dns, 'lookup').mockImplementation(((_host: string, _options: unknown, done: Found) => {
      asked += 1
      // When it is connected to, it leads to a group of hosts, which nobody can.
      const address = asked === 1 ? '10.1.2.3' : '224.0.0.1'
      process.nextTick(done, null, [{ address, family: 4 }])
    }) as unknown as typeof dns.lookup)
    const examined = await scene.doctor([url('db.example', 5000)])
    expect(examined.faults).toEqual(['UNREACHABLE'])
    expect(examined.step('port').findings[0]?.summary).toContain('10.1.2.3 is a private address')
  })

  it('names a port that takes connections and says nothing', async () => {
    const relay = await relayTo(1)
    relay.blackhole()
    const examined = await scene.doctor([url('127.0.0.1', relay.port), ...QUICKLY])
    expect(examined.faults).toEqual(['SERVER_SILENT'])
    expect(notRun(examined)).toEqual(AFTER_PROTOCOL)
  })

  it('names a port that takes connections and closes them', async () => {
    const relay = await relayTo(await freePort())
    const examined = await scene.doctor([url('127.0.0.1', relay.port)])
    expect(examined.faults).toEqual(['SERVER_SILENT'])
    expect(examined.step('protocol').findings[0]?.summary).toContain('closed')
  })

  it('names what answers and is no database', async () => {
    const web = await listening(createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    closing.push(() => web.close())
    const examined = await scene.doctor([url('127.0.0.1', (web.address() as AddressInfo).port)])
    expect(examined.faults).toEqual(['WRONG_PROTOCOL'])
  })
})

type Found = (error: Error | null, found: readonly object[]) => void

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return server
}
