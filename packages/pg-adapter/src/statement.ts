/** One statement as the driver has it: how it was given, and where it is now. */

import type { GovernedConnection } from '@leasehold/core'

import type { DriverClient, DriverQuery, QueryCallback } from './driver.ts'

/** A cursor or a stream, which runs itself: passed through as it is. */
export function isSubmittable(config: unknown): boolean {
  return typeof (config as { submit?: unknown } | null | undefined)?.submit === 'function'
}

/** The callback of a query, wherever the driver takes it from; undefined in promise style. */
export function callbackIn(config: unknown, values: unknown, callback: unknown): QueryCallback | undefined {
  const own = (config as { callback?: unknown } | null | undefined)?.callback
  for (const candidate of [callback, values, own]) {
    if (typeof candidate === 'function') return candidate as QueryCallback
  }
  return undefined
}

/** Older drivers write the callback into the config, where the application's next use of it would find ours. */
export function copyOf(config: unknown): unknown {
  if (typeof config !== 'object' || config === null) return config
  return Object.create(
    Object.getPrototypeOf(config) as object | null,
    Object.getOwnPropertyDescriptors(config),
  ) as unknown
}

/** What waits on the client to be sent. Older drivers name it otherwise; newer ones warn at that name. */
export function queueOf(client: DriverClient): DriverQuery[] {
  return client._queryQueue ?? client.queryQueue
}

/** What the server is answering on the client, or undefined. */
export function activeQueryOf(client: DriverClient): DriverQuery | undefined {
  return ('_activeQuery' in client ? client._activeQuery : client.activeQuery) ?? undefined
}

/** Whether the application waits for the answer to something that it sent. What is sent between requests is ours. */
export function awaitsAnswer(client: DriverClient & { governed: GovernedConnection | undefined }): boolean {
  if (client.governed?.checkedOut !== true) return false
  return activeQueryOf(client) !== undefined || (client._sentQueryQueue?.length ?? 0) > 0
}

export function forgetActiveQuery(client: DriverClient): void {
  if ('_activeQuery' in client) client._activeQuery = null
  else client.activeQuery = null
}

/** The query that the driver has just been given. Undefined where it took none. */
export function newestQueryOf(client: DriverClient): DriverQuery | undefined {
  if (!client._queryable || client._ending) return undefined
  return queueOf(client).at(-1) ?? client._sentQueryQueue?.at(-1) ?? activeQueryOf(client)
}
