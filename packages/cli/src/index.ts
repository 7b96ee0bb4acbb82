/** leasehold: what the program does, as functions. */

export type { PlannedFunction, PlanOptions, Progress } from './plan/options.ts'
export { type FunctionPlan, plan, type Plan } from './plan/plan.ts'
export type { Rise } from './plan/rise.ts'
export type { LoadKind, Trial } from './plan/trial.ts'
