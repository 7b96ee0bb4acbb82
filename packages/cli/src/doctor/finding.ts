/** What one step of an examination found. */

import type { FaultCode } from './faults.ts'

export type Facts = Readonly<Record<string, string | number | boolean | undefined>>

/** `wrong`: it does not work, or not as promised. `warning`: it works, and may not for long. */
export type Finding =
  | { readonly status: 'fine' | 'skipped'; readonly summary: string; readonly facts?: Facts }
  | {
      readonly status: 'wrong' | 'warning'
      readonly fault: FaultCode
      /** What is the case here; the table of faults says what it means and how to mend it. */
      readonly summary: string
      /** In place of the table's, where more is known. */
      readonly remedy?: string | undefined
      readonly facts?: Facts
    }

export function fine(summary: string, facts: Facts = {}): Finding {
  return { status: 'fine', summary, facts }
}

export function skipped(summary: string): Finding {
  return { status: 'skipped', summary }
}

export function wrong(
  fault: FaultCode,
  summary: string,
  more: { remedy?: string | undefined; facts?: Facts } = {},
): Finding {
  return { status: 'wrong', fault, summary, ...more }
}

export function warning(
  fault: FaultCode,
  summary: string,
  more: { remedy?: string | undefined; facts?: Facts } = {},
): Finding {
  return { status: 'warning', fault, summary, ...more }
}

/** What a step ends with: its findings, and whether what comes after it makes sense. */
export interface StepOutcome {
  readonly findings: readonly Finding[]
  readonly goesOn: boolean
}

/** The steps after it are run. */
export function goOn(...findings: readonly Finding[]): StepOutcome {
  return { findings, goesOn: true }
}

/** They are not: they would say the same again, or nothing. */
export function stop(...findings: readonly Finding[]): StepOutcome {
  return { findings, goesOn: false }
}
