/** What a token is asked for, as a query says it. */

import type { TokenAsk } from './core.ts'

/** Undefined where it does not say enough. */
export function askIn(query: URLSearchParams): TokenAsk | undefined {
  const service = query.get('service')
  const host = query.get('host')
  const region = query.get('region')
  const port = Number(query.get('port'))
  if (service !== 'rds' && service !== 'dsql') return undefined
  if (!host || !region || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined
  return {
    service,
    host,
    port,
    region,
    user: query.get('user') ?? undefined,
    isAdmin: query.get('admin') === 'true',
  }
}
