/** The same driver module with governed classes in it, for libraries that take a module. */

import { Governor, type ResolvedOptions } from '@leasehold/core'

import { poolDialect } from './dialect.ts'
import { checkClient, checkDriver, type PgModule } from './driver.ts'
import { governedClientClass, type GovernedClientClass } from './governed-client.ts'
import { governedPoolClass, type GovernedPoolClass } from './governed-pool.ts'
import { readOptions } from './options.ts'

/** The driver's own exports, with `Pool` and `Client` governed. */
export type GovernedModule<T extends PgModule> = Omit<T, 'Pool' | 'Client'> & {
  readonly Pool: GovernedPoolClass
  readonly Client: GovernedClientClass
}

/**
 * Governs a driver instance that the application passes in: `{ ...driver, Pool, Client }`. The
 * classes are subclasses of that very instance's, so that a library's `instanceof` holds. Leaves
 * `driver` itself as it is, and opens nothing.
 *
 * A governed `Client` outside a pool backs off when refused and asks for a lease; its application
 * keeps it checked out for its whole life, so its lease is renewed and it is never yielded.
 *
 * @throws LeaseholdError `UNSUPPORTED_DRIVER`
 */
export function govern<T extends PgModule>(driver: T): GovernedModule<T> {
  checkDriver(driver)
  return { ...driver, Pool: governedPoolClass(driver), Client: governedClients(driver) }
}

/**
 * The class of governed clients outside pools, for the class that they extend.
 *
 * @throws LeaseholdError `UNSUPPORTED_DRIVER`
 */
export function governClient(driver: Pick<PgModule, 'Client'>): GovernedClientClass {
  checkClient(driver)
  return governedClients(driver)
}

function governedClients(driver: Pick<PgModule, 'Client'>): GovernedClientClass {
  const governors = new Governors()
  const governorOf = (given: unknown): { governor: Governor; config: unknown } => {
    const options = typeof given === 'string' ? { connectionString: given } : (given ?? {})
    const { resolved, driver: config } = readOptions(options)
    return {
      governor: governors.of(resolved, config),
      config: { ...config, connectionTimeoutMillis: 0 },
    }
  }
  return governedClientClass(driver, governorOf)
}

/**
 * One governor for all clients with the same target and options: what the first learns of its server
 * (that it is full, that it holds no lease) the next need not learn again, nor say again.
 */
class Governors {
  readonly #known: Branch = new WeakMap()

  of(resolved: ResolvedOptions, config: Readonly<Record<string, unknown>>): Governor {
    const { logger, onSession, credentials, ...rest } = resolved
    const { host, port, database, user, connectionString } = config
    const key = JSON.stringify([host, port, database, user, connectionString, rest])
    // What is code is the same only where it is the same object; forgotten with it, for it may be made anew each time.
    const leaf = leafOf(this.#known, [logger, onSession ?? this, credentials ?? this])
    const governor = leaf.get(key) ?? new Governor(poolDialect(), resolved)
    leaf.set(key, governor)
    return governor
  }
}

type Leaf = Map<string, Governor>
type Branch = WeakMap<object, { readonly branch: Branch; readonly leaf: Leaf }>

function leafOf(root: Branch, path: readonly [object, ...object[]]): Leaf {
  let { branch, leaf }: { branch: Branch; leaf: Leaf } = { branch: root, leaf: new Map() }
  for (const step of path) {
    const next = branch.get(step) ?? { branch: new WeakMap(), leaf: new Map() }
    branch.set(step, next)
    ;({ branch, leaf } = next)
  }
  return leaf
}
