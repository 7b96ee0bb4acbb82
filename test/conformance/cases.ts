// The conformance cases, as data: what must hold on every engine. Each stands alone.
import type { Case } from './cases/case.ts'
import { classification } from './cases/classification.ts'
import { frozen } from './cases/frozen.ts'
import { leases } from './cases/leases.ts'
import { loss } from './cases/loss.ts'
import { opening } from './cases/opening.ts'
import { saturation } from './cases/saturation.ts'
import { statements } from './cases/statements.ts'
import { transactions } from './cases/transactions.ts'

export const CASES: Readonly<Record<string, readonly Case[]>> = {
  opening,
  leases,
  frozen,
  loss,
  saturation,
  statements,
  transactions,
  classification,
}
