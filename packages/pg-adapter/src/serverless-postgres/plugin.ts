/** SQL of other servers, in the ancestor's own form: five methods, each given the client. */

import type { ServerlessClient } from './client.ts'

export interface Rows<T> {
  readonly rows: readonly T[]
}

/** A plugin asks by `self._client.query(…)`, while the client's one session is its alone. */
export interface ServerlessPlugin {
  getIdleProcessesListByMinimumTimeout(self: ServerlessClient): Promise<Rows<{ pid: string | number }>>
  getIdleProcessesListOrderByDate(self: ServerlessClient): Promise<Rows<{ pid: string | number }>>
  processCount(self: ServerlessClient): Promise<Rows<{ count: string | number }>>
  killProcesses(self: ServerlessClient, pids: (string | number)[]): Promise<Rows<object>>
  showMaxConnections(self: ServerlessClient): Promise<Rows<{ max_connections: string | number }>>
}
