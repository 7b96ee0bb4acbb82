/** Tells RDS by the name of a host; apart from its TLS, so that asking loads none. */

import { canonicalHost, regionOfHost } from './aws/region.ts'

/** Whether `host` is an endpoint of RDS, Aurora, RDS Proxy or Aurora DSQL. */
export function isRdsHost(host: string): boolean {
  const name = canonicalHost(host)
  return regionOfHost(name, 'rds') !== undefined || regionOfHost(name, 'dsql') !== undefined
}
