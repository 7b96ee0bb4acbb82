// Simulated runs as `pnpm simulate --json` writes them, and those of the grid by size and limit.
import type { Figures } from '../../../simulation/index.ts'

export type SimulatedRun = Figures

export interface Simulated {
  /** What the costs were measured on, and how near the simulator came to the real fleet. */
  readonly provenance: string
  readonly runs: readonly SimulatedRun[]
}

/** A cell of the grid: `grid-10000-400`. */
export interface GridCell {
  readonly environmentCount: number
  readonly maxConnections: number
  readonly runs: readonly SimulatedRun[]
}

/** By environments, then by `max_connections`, both ascending. */
export function gridOf(runs: readonly SimulatedRun[]): readonly GridCell[] {
  const cells = new Map<string, SimulatedRun[]>()
  for (const run of runs) {
    if (!run.scenario.startsWith('grid-')) continue
    const cell = cells.get(run.scenario)
    if (cell === undefined) cells.set(run.scenario, [run])
    else cell.push(run)
  }
  return [...cells]
    .map(([name, inCell]) => {
      const [, environmentCount = Number.NaN, maxConnections = Number.NaN] = name.split('-').map(Number)
      return { environmentCount, maxConnections, runs: inCell }
    })
    .toSorted(
      (left, right) =>
        left.environmentCount - right.environmentCount || left.maxConnections - right.maxConnections,
    )
}
