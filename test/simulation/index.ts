// Simulated fleets, for whoever asks what would happen. Measuring and calibrating stay outside.
export { poisson, step } from './arrivals.ts'
export { type EngineName, isNear, provenance } from './costs.ts'
export type { Figures } from './figures.ts'
export type { FleetPlan } from './fleet.ts'
export type { Sample } from './measurement.ts'
export { type PolicyName, reservedByDefault, type RunOptions, type Scenario, simulate } from './simulation.ts'
