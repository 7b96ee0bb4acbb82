/** Governs pools of `pg` that the application makes for itself, each when it is first asked for a connection. */

import { EventEmitter } from 'node:events'

import { type LeaseholdOptions, systemEnv } from '@leasehold/core'

import { Graft, lend, type Methods, standIn, UNCHANGED } from './graft.ts'
import { adopting, type Parts, refuseProxy, tlsAsGiven } from './parts.ts'

/** Of the adapter: on what it governs, over copies. */
const GOVERNOR = Symbol.for('leasehold.pg.governor')
/** What `pg.Pool` takes where the application says nothing. */
const DEFAULT_IDLE_MS = 10_000

interface Pool extends EventEmitter {
  readonly options: Readonly<Record<string, unknown>> & { readonly max: number }
  readonly Client: object
  readonly ending: boolean
}

type PoolClass = new (options: object) => Pool

/** True while a pool that is left as it is makes a client: then that client is left as it is, too. */
let isInsidePool = false

export function isMadeByPool(): boolean {
  return isInsidePool
}

export function attachPgPools(prototype: object, parts: Parts): void {
  const { constructor: PlainPool } = prototype as { constructor: PoolClass }
  /** By the class of a pool's clients. */
  const governedClasses = new WeakMap<object, PoolClass>()
  let adopted: Pool | undefined

  const graft = new Graft(prototype, (object) => {
    const pool = object as Pool
    if (GOVERNOR in pool || pool.ending) return UNCHANGED
    return adopting(parts, 'pg.Pool', () => adopt(pool))
  })
  graft.put(['connect', 'query'], true)
  wrapNewClient(prototype)

  function adopt(pool: Pool): Methods {
    refuseProxy(pool)
    const Governed = governedClassOf(pool.Client)
    adopted = pool
    try {
      // Makes `pool` its own, by way of the class that it extends.
      Reflect.construct(Governed, [optionsOf(pool, parts)])
    } finally {
      adopted = undefined
    }
    const members = Governed.prototype as object
    lend(pool, members)
    graft.put(Object.getOwnPropertyNames(members), false)
    return members as Methods
  }

  function governedClassOf(Client: object): PoolClass {
    const known = governedClasses.get(Client)
    if (known !== undefined) return known
    const Base = standIn(graft.originals, (options: object) => {
      if (adopted === undefined) return new PlainPool(options)
      return renewed(adopted, new PlainPool(options))
    })
    const { govern } = parts.pgAdapter()
    const { Pool } = govern({ Pool: Base, Client } as never)
    governedClasses.set(Client, Pool as unknown as PoolClass)
    return Pool as unknown as PoolClass
  }
}

/** The pool as its class would have made it with other options. Nothing has been done with it, so nothing is lost. */
function renewed(pool: Pool, made: Pool): Pool {
  const emitter = new EventEmitter()
  for (const name of Object.getOwnPropertyNames(made)) {
    if (Object.hasOwn(emitter, name)) continue
    const descriptor = Object.getOwnPropertyDescriptor(made, name)
    if (descriptor !== undefined) Object.defineProperty(pool, name, descriptor)
  }
  return pool
}

/** What the application asked for, less what the driver filled in, and what the environment asks for. */
function optionsOf({ options }: Pool, { maxConnections, options: own }: Parts): object {
  const asked = own()
  const given: Record<string, unknown> = {}
  // The driver hides the password.
  for (const name of Object.getOwnPropertyNames(options)) given[name] = options[name]
  delete given['Client']
  // Left to the default of one connection, a handler that takes two at once would wait for itself.
  given['max'] = Math.min(options.max, maxConnections ?? options.max)
  // A timer that did not run while the environment was frozen would end a sound connection at thaw.
  if (given['idleTimeoutMillis'] === DEFAULT_IDLE_MS) delete given['idleTimeoutMillis']
  given['ssl'] = pgTls(given['ssl'], asked)
  return { ...given, ...asked }
}

/** Where the options say nothing of TLS the environment may, and that is the driver's to read. */
export function pgTls(ssl: unknown, asked: LeaseholdOptions): unknown {
  return ssl || systemEnv['PGSSLMODE'] === undefined ? tlsAsGiven(ssl, asked) : undefined
}

function wrapNewClient(prototype: object): void {
  const members = prototype as { newClient: (...given: unknown[]) => unknown }
  const { newClient } = members
  members.newClient = function (this: unknown, ...given: unknown[]): unknown {
    isInsidePool = !(GOVERNOR in (this as object))
    try {
      return Reflect.apply(newClient, this, given)
    } finally {
      isInsidePool = false
    }
  }
}
