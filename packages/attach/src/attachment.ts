/** Puts the levels together: sockets, then the drivers' classes, wherever they come from. */

import { createRequire } from 'node:module'

import { type Clock, systemClock } from '@leasehold/core'

import { meetEmitters } from './emitters.ts'
import { attachMysqlConnections } from './mysql-connections.ts'
import { attachMysqlPools } from './mysql-pools.ts'
import type { Parts } from './parts.ts'
import { attachPgClients } from './pg-clients.ts'
import { attachPgPools } from './pg-pools.ts'
import type { Report } from './report.ts'
import { findShape, type Kind } from './shapes.ts'
import { SocketGuard } from './sockets.ts'
import type { Settings } from './variables/settings.ts'

/** What a driver in a bundle calls with its class, where the bundler's plugin was used. */
const MEET = Symbol.for('leasehold.attach.meet.1')

const ATTACH: Readonly<Record<Kind, (prototype: object, parts: Parts) => void>> = {
  'pg.Pool': attachPgPools,
  'pg.Client': attachPgClients,
  'mysql2 pool': attachMysqlPools,
  'mysql2 connection': attachMysqlConnections,
}

/** Level 0. Returns what is to hear of invocations. */
export function guardSockets(settings: Settings, clock: Clock = systemClock): SocketGuard {
  const guard = new SocketGuard(clock, settings.databasePorts, settings.dropAfterMs)
  guard.watch()
  return guard
}

/** Level 1. */
export function attachToDrivers(settings: Settings, report: Report): void {
  const require = createRequire(import.meta.url)
  const parts: Parts = {
    options: settings.options,
    maxConnections: settings.maxConnections,
    pgAdapter: () => require('@leasehold/pg-adapter/govern') as ReturnType<Parts['pgAdapter']>,
    mysqlAdapter: () => require('@leasehold/mysql-adapter/govern') as ReturnType<Parts['mysqlAdapter']>,
    governed: (kind) => report.governed(kind),
    leftAlone: (kind, because) => report.leftAlone(kind, because),
    leftOut: (kind, what) => report.leftOut(kind, what),
  }
  const attached = new WeakSet<object>()
  const meet = (prototype: object): void => {
    try {
      const found = findShape(prototype)
      if (found === undefined || attached.has(found.prototype)) return
      attached.add(found.prototype)
      ATTACH[found.kind](found.prototype, parts)
    } catch (error) {
      report.off(error)
    }
  }
  const holder = globalThis as { [MEET]?: (exported: unknown) => void }
  holder[MEET] = (exported) => {
    const { prototype } = Object(exported) as { prototype?: object }
    if (prototype !== undefined) meet(prototype)
  }
  if (!meetEmitters(meet)) {
    report.off(
      'this Node.js makes its emitters in another way; bundle with `@leasehold/attach/esbuild` instead',
    )
  }
}
