// What things cost: measured on a machine by `calibrate.ts`, kept in `costs.json` with date and machine.
import contents from './costs.json' with { type: 'json' }

/** Beyond this, in rate or p99, the simulator is not believed. */
export const TOLERANCE = 0.15

export const ENGINES = ['postgresql', 'mysql'] as const
export type EngineName = (typeof ENGINES)[number]

/** CPU milliseconds on the server's cores, unless the name says otherwise. */
export interface Costs {
  /** From the connect's arrival until the session is ready; contains `refusedMs`. */
  readonly connectMs: number
  /** An attempt for which there was no slot. */
  readonly refusedMs: number
  readonly endMs: number
  /** One statement of the application, without the work it waits for. */
  readonly statementMs: number
  readonly censusMs: number
  readonly censusPerSessionMs: number
  readonly setLeaseMs: number
  /** An invocation beside its statement, where environments share the server's cores; else 0. */
  readonly invokeMs: number
  /** What an environment's first request costs it more than later ones: code that is loaded and still cold. */
  readonly firstMs: number
  /** A delay of each invocation that costs the server nothing. */
  readonly overheadMs: number
  /** From the response until the environment is frozen. */
  readonly freezeMs: number
  readonly roundTripMs: number
}

/** Simulated figures in real ones, from the last calibration. */
interface Calibration {
  readonly rate: number
  readonly p99: number
  readonly runs: number
}

interface MeasuredCosts {
  readonly measured: string
  readonly machine: string
  readonly calibration: Partial<Readonly<Record<EngineName, Calibration>>>
  /** One after the other, by themselves on the machine. */
  readonly alone: Readonly<Record<EngineName, Costs>>
  /** In a fleet that keeps the machine busy. */
  readonly shared: Readonly<Record<EngineName, Costs>>
}

const measured: MeasuredCosts = contents

/** Clients and server on the same cores, as the real fleet runs in the tests. */
export function sharedMachine(engine: EngineName): Costs {
  return measured.shared[engine]
}

/**
 * The server by itself: clients have processors of their own, half a millisecond away. The measured
 * costs hold both sides, so this is the share that falls on the server. They are those of a machine that is not
 * crowded by the clients.
 */
export function ownServer(engine: EngineName): Costs {
  const alone = measured.alone[engine]
  const serverShare = 0.6
  return {
    ...alone,
    connectMs: alone.connectMs * serverShare,
    refusedMs: alone.refusedMs * serverShare,
    statementMs: alone.statementMs * serverShare,
    censusMs: alone.censusMs * serverShare,
    setLeaseMs: alone.setLeaseMs * serverShare,
    invokeMs: 0,
    firstMs: 0,
    overheadMs: 2,
    freezeMs: 1,
    roundTripMs: 0.5,
  }
}

/** In rate and p99 the simulator came within the tolerance to a real fleet of this engine. */
export function isNear(engine: EngineName): boolean {
  const { rate, p99 } = measured.calibration[engine] ?? { rate: 0, p99: 0 }
  return [rate, p99].every((ratio) => Math.abs(ratio - 1) <= TOLERANCE)
}

/** When and where the costs were measured, and how near the simulator came to the real fleet then. */
export function provenance(...engines: readonly EngineName[]): string {
  const lines = [`costs measured ${measured.measured} on ${measured.machine}`]
  for (const engine of engines.length === 0 ? ENGINES : engines) {
    const { rate, p99, runs } = measured.calibration[engine] ?? { rate: 0, p99: 0, runs: 0 }
    const found =
      runs === 0
        ? 'not calibrated'
        : `simulated / real: rate ${rate.toFixed(2)}, p99 ${p99.toFixed(2)} over ${runs} real runs` +
          (isNear(engine) ? '' : ': NOT within 15 %, judge by comparison only')
    lines.push(`${engine}: ${found}`)
  }
  return lines.join('\n')
}
