// What a conformance case is, and what several of them use.
import type { Subject } from '../subject.ts'

export interface Case {
  readonly name: string
  run(subject: Subject): Promise<void>
}

/** The shortest lease every engine can hold. */
export const SHORT = { minLeaseMs: 1_000, maxLeaseMs: 1_000 } as const

export async function rejection(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('expected a rejection')
}
