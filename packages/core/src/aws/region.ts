/** What a host name says of its region, and of whether a token can be signed for it. */

import type { Env } from '../env.ts'

const RDS: readonly RegExp[] = [
  // name.hash.REGION.rds.amazonaws.com, cluster and proxy endpoints included; China's too
  /\.([a-z0-9-]+)\.rds\.amazonaws\.com(?:\.cn)?$/,
  // name.hash.rds.REGION.amazonaws.com.cn: China's newer form
  /\.rds\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/,
]

const DSQL: readonly RegExp[] = [/\.dsql(?:-[a-z0-9]+)?\.([a-z0-9-]+)\.on\.aws$/]

export type TokenService = 'rds' | 'dsql'

/** As it is signed: lower case, without the dot that ends an absolute name. */
export function canonicalHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, '')
}

/** The region in the name of an endpoint of `service`; undefined where `host` is not one. */
export function regionOfHost(host: string, service: TokenService): string | undefined {
  for (const pattern of service === 'dsql' ? DSQL : RDS) {
    const region = pattern.exec(host)?.[1]
    if (region !== undefined) return region
  }
  return undefined
}

export function regionOfArn(arn: string): string | undefined {
  return /^arn:[^:]+:[^:]+:([a-z0-9-]+):/.exec(arn)?.[1]
}

/** Source: Lambda sets `AWS_REGION` and `AWS_DEFAULT_REGION` to the function's region. */
export function regionOfEnv(env: Env): string | undefined {
  return env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || undefined
}
