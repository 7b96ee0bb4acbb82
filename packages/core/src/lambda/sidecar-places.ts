/** The environment's places for connections, lent by the layer's sidecar to the worker threads that need them. */

import { systemClock } from '../clock.ts'
import { runsSeveralInvocations, systemEnv } from '../env.ts'
import { invalidOptions } from '../errors.ts'
import { processWide } from '../process-wide.ts'
import { environmentShare, workerCount } from '../share.ts'
import { LentPlaces } from '../sidecar/places.ts'
import { socketOf, wantsSidecar } from '../sidecar/protocol.ts'

export interface SidecarPlacesOptions {
  /**
   * How many connections one environment may have, over all of its worker threads and pools. 1 to 10 000.
   * @defaultValue a quarter of the environment's concurrency, and one a thread at least
   */
  readonly connections?: number | undefined
}

const MOST_CONNECTIONS = 10_000

/**
 * On Managed Instances, where the layer's sidecar is on: pools that are given no size may have more than their
 * thread's even share while other threads use less of theirs, and all threads together never more than
 * `connections`. A thread that needs its share again has it back as soon as a connection elsewhere is given back; the
 * places of a thread that ends come back at once. Call it where modules load, before pools are made. Where the sidecar
 * is not there, hangs or dies, every thread has its even share.
 *
 * @returns whether places are asked for: false elsewhere than on Managed Instances, and without `LEASEHOLD_SIDECAR`
 * @throws LeaseholdError `INVALID_OPTIONS`
 */
export function sidecarPlaces({ connections }: SidecarPlacesOptions = {}): boolean {
  const isMeant = connections === undefined || (Number.isInteger(connections) && connections >= 1)
  if (!isMeant || (connections ?? 0) > MOST_CONNECTIONS) {
    throw invalidOptions(`\`connections\` must be a whole number from 1 to ${MOST_CONNECTIONS}`)
  }
  if (!wantsSidecar(systemEnv) || !runsSeveralInvocations(systemEnv)) return false
  const workers = workerCount(systemEnv)
  const total = environmentShare(systemEnv, connections ?? 0, workers)
  const share = Math.max(1, Math.floor(total / workers))
  const shared = processWide()
  shared.places ??= new LentPlaces({ path: socketOf(systemEnv), total, share }, systemClock)
  return true
}
