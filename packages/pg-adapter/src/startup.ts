/** The settings that a new session starts with: its lease, and how long a transaction may sit idle. */

import type { DriverClient } from './driver.ts'

const TRANSACTION_IDLE = 'idle_in_transaction_session_timeout'

export interface StartupSettings {
  /** What the application itself gave as `options`. */
  readonly own: string
  /** Undefined where the server is asked for no lease: then it is asked for nothing else either. */
  readonly leaseMs: number | undefined
  readonly transactionIdleMs: number
}

/** Whether the application set the limit itself, be it to 0. */
export function setsTransactionIdle(client: DriverClient, config: unknown): boolean {
  const given = (config as Readonly<Record<string, unknown>> | undefined)?.[TRANSACTION_IDLE]
  const { options, idle_in_transaction_session_timeout: known } = client.connectionParameters
  return given !== undefined || Boolean(known) || options?.includes(TRANSACTION_IDLE) === true
}

export function startupOptions({ own, leaseMs, transactionIdleMs }: StartupSettings): string {
  const asked = [own]
  if (leaseMs !== undefined) {
    asked.push(`-c idle_session_timeout=${Math.round(leaseMs)}`)
    if (transactionIdleMs > 0) asked.push(`-c ${TRANSACTION_IDLE}=${transactionIdleMs}`)
  }
  return asked.join(' ').trim()
}
