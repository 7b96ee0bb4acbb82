/** Where a pool's measurements and events come from: its fleet, its engine, its server. */

import type { CredentialTarget } from './credentials.ts'
import type { Dialect } from './dialect.ts'
import type { EventPlace } from './events.ts'
import type { MetricDimensions } from './metrics.ts'

/** Until the first connect nobody has said which server it is. */
const UNKNOWN = 'unknown'

export class Place {
  readonly #fleet: string
  readonly #dialect: Dialect
  #target = UNKNOWN
  #dimensions: MetricDimensions

  constructor(fleet: string, dialect: Dialect) {
    this.#fleet = fleet
    this.#dialect = dialect
    this.#dimensions = { Fleet: fleet, Engine: dialect.engine, Target: UNKNOWN }
  }

  /** The same object for as long as nothing changes. */
  get dimensions(): MetricDimensions {
    // A server says only in its greeting whether it is MySQL or MariaDB.
    const { engine } = this.#dialect
    const known = this.#dimensions
    if (known.Engine !== engine || known.Target !== this.#target) {
      this.#dimensions = { Fleet: this.#fleet, Engine: engine, Target: this.#target }
    }
    return this.#dimensions
  }

  get inWords(): EventPlace {
    const { Fleet: fleet, Engine: engine, Target: target } = this.dimensions
    return { fleet, engine, target }
  }

  /** `server:port/fleet`, for whatever tells pools apart by one name; undefined before the first connect. */
  get poolName(): string | undefined {
    return this.#target === UNKNOWN ? undefined : `${this.#target}/${this.#fleet}`
  }

  /** A connection is opened to `target`. A socket's path stands for itself. */
  saw({ host, port }: CredentialTarget): void {
    // Brackets, for CloudWatch takes no value that begins with a colon.
    const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
    this.#target = host.startsWith('/') ? host : `${name.toLowerCase()}:${port}`
  }
}
