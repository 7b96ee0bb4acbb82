// Made-up recordings for the tests of everything that only reads one.
import type { InvocationRecord, Recording } from '../src/recording.ts'

export function answer(
  startMs: number,
  latencyMs: number,
  more: Partial<InvocationRecord> = {},
): InvocationRecord {
  return { phase: 'burst', environmentId: 'orders-1', startMs, latencyMs, ...more }
}

export function refusal(startMs: number, more: Partial<InvocationRecord> = {}): InvocationRecord {
  return answer(startMs, 5, { failure: 'sorry, too many clients already', ...more })
}

/** A burst that half the requests of fail, then nothing, then a second function that is never answered. */
export function recording(more: Partial<Recording> = {}): Recording {
  return {
    engine: 'postgresql',
    serverName: 'PostgreSQL 18.4',
    variant: 'bare',
    slots: 27,
    phases: [
      { name: 'burst', startMs: 0, endMs: 8_100 },
      { name: 'quiet', startMs: 8_100, endMs: 12_100 },
      { name: 'taken-away', startMs: 12_100, endMs: 14_600 },
      { name: 'second-function', startMs: 14_600, endMs: 20_100 },
    ],
    samples: [
      { atMs: 0, sessionCount: 0 },
      { atMs: 200, sessionCount: 27 },
      { atMs: 12_000, sessionCount: 20 },
      { atMs: 14_000, sessionCount: 19 },
      { atMs: 20_000, sessionCount: 19 },
    ],
    invocations: [
      answer(0, 100),
      answer(200, 20),
      answer(7_990, 30, { environmentId: 'orders-2' }),
      refusal(10),
      refusal(20),
      refusal(15_000, { phase: 'second-function', environmentId: 'reports-1' }),
    ],
    ...more,
  }
}
