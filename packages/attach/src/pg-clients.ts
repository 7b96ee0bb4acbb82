/** Governs clients of `pg` outside pools, each when it is told to connect. */

import { Socket } from 'node:net'

import { Graft, lend, type Methods, standIn, UNCHANGED } from './graft.ts'
import { adopting, type Parts, refuseProxy } from './parts.ts'
import { isMadeByPool, pgTls } from './pg-pools.ts'
import { type PgClient, steady } from './pg-steady.ts'
import { spare } from './sockets.ts'

const GOVERNOR = Symbol.for('leasehold.pg.governor')

/** What the driver makes of other options. */
const DERIVED: readonly string[] = ['connect_timeout', 'isDomainSocket', 'keepalives', 'keepalives_idle']

type ClientClass = new (config: object) => PgClient

export function attachPgClients(prototype: object, parts: Parts): void {
  const { constructor: PlainClient } = prototype as { constructor: ClientClass }
  let Governed: ClientClass | undefined
  let adopted: PgClient | undefined

  const graft = new Graft(prototype, (object) => {
    const client = object as PgClient
    if (GOVERNOR in client) {
      spare(client.connection.stream)
      return UNCHANGED
    }
    return isMadeByPool() ? UNCHANGED : adopting(parts, 'pg.Client', () => adopt(client))
  })
  graft.put(['connect'], true)
  sparing(prototype)
  sparing(graft.originals)

  function adopt(client: PgClient): Methods {
    refuseProxy(client)
    if (!isDriversOwn(client.connection.stream)) throw new Error('its socket is of somebody else’s making')
    Governed ??= governedClass()
    const plain = plainConfigOf(client)
    const asked = parts.options()
    const { _connectionTimeoutMillis: connectionTimeoutMillis = 0 } = client
    adopted = client
    try {
      // Makes `client` its own, by way of the class that it extends.
      Reflect.construct(Governed, [
        { ...plain, ...asked, ssl: pgTls(client.ssl, asked), connectionTimeoutMillis },
      ])
    } finally {
      adopted = undefined
    }
    // The limits are the governor's now.
    client._connectionTimeoutMillis = 0
    const members = Governed.prototype as object
    lend(client, members)
    graft.put([...Object.getOwnPropertyNames(members), 'getTransactionStatus'], false)
    return steady(client, members as Methods, () => {
      const another = new PlainClient({ ...plain, ssl: client.ssl, connectionTimeoutMillis })
      another._types = client._types
      return another
    })
  }

  function governedClass(): ClientClass {
    const Base = standIn(graft.originals, (config: object) => adopted ?? new PlainClient(config))
    const { governClient } = parts.pgAdapter()
    return governClient({ Client: Base } as never) as unknown as ClientClass
  }
}

/** One that somebody else made for the client leads where only they know. */
function isDriversOwn(socket: Socket): boolean {
  const { connecting, remoteAddress } = socket
  return Object.getPrototypeOf(socket) === Socket.prototype && !connecting && remoteAddress === undefined
}

/** What another client like this one is made of. */
function plainConfigOf(client: PgClient): Record<string, unknown> {
  const { connection, connectionParameters, password, _Promise: PromiseClass } = client
  const { enableChannelBinding, pipeline, scramMaxIterations } = client
  // Where nothing was said the driver has filled in what it takes for nothing.
  const said = Object.entries(connectionParameters).filter(
    ([name, value]) => Boolean(value) && !DERIVED.includes(name),
  )
  return {
    ...Object.fromEntries(said),
    password,
    enableChannelBinding,
    pipeline,
    scramMaxIterations,
    keepAlive: connection._keepAlive,
    keepAliveInitialDelayMillis: connection._keepAliveInitialDelayMillis,
    // The driver warns of one that is given, and takes its own.
    ...(PromiseClass === Promise ? {} : { Promise: PromiseClass }),
  }
}

/** The socket of a governed client is its governor's from its first attempt on. */
function sparing(members: object): void {
  const holder = members as { connect: (...given: unknown[]) => unknown }
  const { connect } = holder
  holder.connect = function (this: unknown, ...given: unknown[]): unknown {
    const client = this as PgClient
    if (GOVERNOR in client) spare(client.connection.stream)
    return Reflect.apply(connect, client, given)
  }
}
