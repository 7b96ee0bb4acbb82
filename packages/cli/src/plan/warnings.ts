/** PURE: what a plan cannot keep, and what it takes for granted; each with its remedy. */

import { isNear } from '@leasehold/simulation'

import { sum } from './demand.ts'
import type { ResolvedPlanOptions } from './options.ts'
import type { LoadKind, Trial } from './trial.ts'

interface Demanded {
  readonly ratePerS: number
  readonly busySessions: number
  readonly coldConcurrency: number
  readonly carriedPerS: number
}

interface Totals {
  readonly lowest: number | undefined
  readonly recommended: number | undefined
  readonly highest: number
}

/** Beyond this share of its slots or processors a server has no room for a bad moment. */
const BUSY_SHARE = 0.8
/** An account begins with 1,000, and 100 of them cannot be reserved. Source: Lambda's developer guide, quotas. */
const RESERVABLE = 900

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const shown = (value: number): string => number.format(value)

export function warningsOf(
  options: ResolvedPlanOptions,
  demand: Demanded,
  { lowest, recommended, highest }: Totals,
  tried: readonly Trial[],
): readonly string[] {
  const { slotCount, functions, cores, coresAreGuessed, engine } = options
  const warnings: string[] = []
  const { busySessions, ratePerS, carriedPerS, coldConcurrency } = demand
  const slots = `${shown(slotCount)} slot${slotCount === 1 ? '' : 's'}`
  if (busySessions > slotCount) {
    warnings.push(
      `${shown(ratePerS)} requests/s use ${shown(busySessions)} sessions at once (rate × time), and there are ${slots}: they carry ${shown(carriedPerS)}/s at the very best. Shorten the work, raise max_connections, or let fewer requests through.`,
    )
  } else if (busySessions > BUSY_SHARE * slotCount) {
    warnings.push(
      `${shown(busySessions)} of ${slots} are busy on average: a bad moment has no room. Raise max_connections, or shorten the work.`,
    )
  }
  if (highest === 0) {
    warnings.push('no concurrency was found under which every environment can be busy: see the runs below.')
  } else if (lowest === undefined && busySessions <= slotCount) {
    warnings.push(
      `the load needs more environments at once than the server carries (${shown(highest)}): Lambda will turn requests away. Shorten the invocations, or raise max_connections.`,
    )
  }
  if (recommended !== undefined && recommended < coldConcurrency) {
    warnings.push(
      `after a deployment every environment is new, and about ${shown(coldConcurrency)} run at once for a moment: with ${shown(recommended)}, Lambda turns some of these requests away. Provisioned concurrency avoids it.`,
    )
  }
  if ((recommended ?? 0) > RESERVABLE) {
    warnings.push(
      `an account of AWS begins with a concurrency of 1,000, of which ${RESERVABLE} can be reserved: ask for more (quota L-B99A9384).`,
    )
  }
  const busiest = Math.max(...tried.map(({ load, cpuShare }) => (load === 'saturated' ? 0 : cpuShare)))
  if (busiest > BUSY_SHARE) {
    warnings.push(
      `the server's processors are ${shown(100 * busiest)} % busy with connects and short statements alone: it needs more than ${shown(cores)}, or fewer environments.`,
    )
  }
  if (coresAreGuessed) {
    warnings.push(`the server was taken to have ${shown(cores)} processors: --cores says how many it has.`)
  }
  warnings.push(...givenThatFails(functions, tried))
  if (!isNear(engine)) {
    warnings.push(
      'for this engine the simulator is not within 15 % of a real fleet (see the last lines): leave some room.',
    )
  }
  return warnings
}

const FAILURES: Readonly<Record<LoadKind, string>> = {
  planned: 'the planned load',
  spread: 'the planned load, spread over all environments,',
  saturated: 'a load that keeps every environment busy',
}

function givenThatFails(
  functions: ResolvedPlanOptions['functions'],
  tried: readonly Trial[],
): readonly string[] {
  if (functions.every(({ concurrency }) => concurrency === undefined)) return []
  return tried
    .filter(({ holds }) => !holds)
    .map(({ load, answeredShare, throttled, p99Ms, concurrency }) => {
      const total = sum(concurrency, (count) => count)
      const what =
        throttled > 0
          ? `is turned away by Lambda in part (${shown(throttled)} requests)`
          : `is answered to ${(100 * answeredShare).toFixed(1)} %, p99 ${shown(p99Ms)} ms`
      return `with a concurrency of ${shown(total)}, ${FAILURES[load]} ${what}.`
    })
}
