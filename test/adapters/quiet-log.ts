// A logger that keeps what it is told, so that a test can say what was said, and how often.
import type { Logger } from '@leasehold/pg-adapter'

export interface QuietLog extends Logger {
  readonly lines: readonly string[]
}

export function quietLog(): QuietLog {
  const lines: string[] = []
  return { lines, warn: (line) => lines.push(line), error: (line) => lines.push(line) }
}
