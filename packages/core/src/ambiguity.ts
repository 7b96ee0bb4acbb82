/** Counts, tells and logs what nobody can know: whether a statement or commit that was cut off took effect. */

import type { Diagnostics } from './diagnostics.ts'
import { codeOf } from './errors.ts'
import type { Stats } from './stats.ts'

export interface AmbiguityParts {
  readonly stats: Stats
  readonly diagnostics: Diagnostics
}

/** Once for each error. */
export function sawAmbiguity({ diagnostics, stats }: AmbiguityParts, error: unknown): void {
  stats.ambiguous += 1
  diagnostics.tell('loss', () => ({ code: codeOf(error) }))
}
