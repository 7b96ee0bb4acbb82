// Runs the real fleet and the simulated one through the same contention, and says how far apart they are.
// `--write` keeps the costs measured on the way as the simulator's own.
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, platform } from 'node:os'
import { parseArgs } from 'node:util'

import { type DatabaseServer, startMariadb, startPostgres } from '@leasehold/test-databases'

import { countsOf, runFleet } from '../frozen/fleet.ts'
import { deployBuilt } from './built-fleet.ts'
import { type Costs, type EngineName, TOLERANCE } from './costs.ts'
import { rank } from './figures.ts'
import { machinePaceMs } from './machine-pace.ts'
import { measureAlone, measureBusy, median } from './measured-costs.ts'
import { cpuTimes, othersCores } from './process-times.ts'
import { SCENARIOS } from './scenarios.ts'
import { reservedByDefault, simulate } from './simulation.ts'

const SECONDS = 8
/** A run beside busier neighbours says more of them than of the fleet. */
const QUIET_CORES = 0.25
const MOST_TRIES = 4
/** Simulated runs for each real one: the p99 of so short a run is a matter of chance, in both worlds. */
const SEEDS = 7

interface Outcome {
  readonly answeredShare: number
  readonly ratePerS: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Until the last answer. */
  readonly seconds: number
  readonly connectsPerS: number
  readonly refusalsPerS: number
  readonly censusesPerS: number
  /** Cores that the fleet and its server kept busy. */
  readonly ownCores: number
}

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'postgresql' },
    runs: { type: 'string', default: '3' },
    // As in the decision record; fewer, in the same ratio, need less of a machine that others use too.
    environments: { type: 'string', default: '60' },
    slots: { type: 'string', default: '26' },
    write: { type: 'boolean', default: false },
  },
})
const engine = values.engine as EngineName
if (!['postgresql', 'mysql'].includes(engine))
  throw new TypeError(`--engine is postgresql or mysql, got ${engine}`)
const [runs, environments, slots] = (['runs', 'environments', 'slots'] as const).map((name) => {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < 1)
    throw new TypeError(`--${name} is a whole number from 1, got ${values[name]}`)
  return value
}) as [number, number, number]

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

async function real(server: DatabaseServer): Promise<Outcome & { readonly others: number }> {
  await using fleet = deployBuilt('calibration', server)
  await fleet.scaleTo(environments)
  const before = cpuTimes()
  const run = await runFleet(fleet, environments, SECONDS * 1_000)
  const after = cpuTimes()
  const others = othersCores(before, after)
  const ownCores = (after.ownMs - before.ownMs) / (after.wallMs - before.wallMs)
  const counts = await countsOf(fleet, environments)
  const seconds = (after.wallMs - before.wallMs) / 1_000
  return {
    connectsPerS: counts.opened / seconds,
    refusalsPerS: counts.refused / seconds,
    censusesPerS: counts.censuses / seconds,
    ownCores,
    answeredShare: run.answered / run.latenciesMs.length,
    ratePerS: run.ratePerS,
    maxMs: Math.max(...run.latenciesMs),
    seconds: run.seconds,
    p99Ms: rank(
      run.latenciesMs.toSorted((left, right) => left - right),
      0.99,
    ),
    others,
  }
}

/** What other processes of the machine took is asked for here as well. */
async function simulated(costs: Costs, others: number, seed: number): Promise<Outcome> {
  const contention = SCENARIOS.get('contention')
  if (contention === undefined) throw new Error('no scenario called contention')
  const maxConnections = slots + reservedByDefault(engine)
  const fleets = contention.fleets.map((fleet) => ({ ...fleet, environments }))
  const scenario = { ...contention, cores: cpus().length, seconds: SECONDS, maxConnections, fleets }
  const figures = await simulate(scenario, {
    policy: 'leasehold',
    engine,
    seed,
    costs,
    othersCores: others,
  })
  return {
    ...figures,
    connectsPerS: (figures.connectsPerAnswer * figures.answered) / figures.seconds,
    ownCores: figures.cpuShare * scenario.cores,
  }
}

const line = (name: string, outcome: Outcome, more = ''): string =>
  `${name.padEnd(12)} answered ${(100 * outcome.answeredShare).toFixed(2)} %  ${outcome.ratePerS.toFixed(0)}/s  ` +
  `p99 ${outcome.p99Ms.toFixed(0)} ms  max ${outcome.maxMs.toFixed(0)} ms  in ${outcome.seconds.toFixed(1)} s  connects ${outcome.connectsPerS.toFixed(0)}/s  ` +
  `refusals ${outcome.refusalsPerS.toFixed(0)}/s  censuses ${outcome.censusesPerS.toFixed(0)}/s  ` +
  `cores ${outcome.ownCores.toFixed(2)}${more}`

/** Costs on a machine that is so many times as slow. */
function scaled(costs: Costs, slower: number): Costs {
  const all = Object.entries(costs).map(([name, value]: [string, number]) => [
    name,
    name === 'roundTripMs' ? value : value * slower,
  ])
  return Object.fromEntries(all) as Costs
}

const middle = (outcomes: readonly Outcome[]): Pick<Outcome, 'ratePerS' | 'p99Ms'> => ({
  ratePerS: median(outcomes.map(({ ratePerS }) => ratePerS)),
  p99Ms: median(outcomes.map(({ p99Ms }) => p99Ms)),
})

const startWith = (slotCount: number): Promise<DatabaseServer> =>
  engine === 'postgresql'
    ? startPostgres({ maxConnections: slotCount + 3 })
    : startMariadb({ maxConnections: slotCount })

interface Measured extends Record<'alone' | 'shared', Costs> {
  /** How slow the machine was meanwhile. */
  readonly paceMs: number
}

async function measured(server: DatabaseServer): Promise<Measured> {
  const before = await machinePaceMs()
  const alone = await measureAlone(server)
  const roomy = await startWith(2 * environments)
  try {
    const shared = await measureBusy(alone, roomy, server, environments)
    return { alone, shared, paceMs: (before + (await machinePaceMs())) / 2 }
  } finally {
    await roomy.dispose()
  }
}

const server = await startWith(slots)
try {
  if (server.slots !== slots) throw new Error(`the server has ${server.slots} slots instead of ${slots}`)
  const kinds = await measured(server)
  print(`${server.name}, Node ${process.version}, ${cpus().length} cores; CPU ms, client and server:`)
  print(`one after the other: ${JSON.stringify(kinds.alone)}`)
  print(`in a busy fleet:     ${JSON.stringify(kinds.shared)}`)
  let paceMs = await machinePaceMs()
  const reals: Outcome[] = []
  const simulateds: Outcome[] = []
  for (let run = 1; run <= MOST_TRIES * runs && reals.length < runs; run += 1) {
    const outcome = await real(server)
    const isQuiet = outcome.others <= QUIET_CORES
    const paceAfterMs = await machinePaceMs()
    const slower = (paceMs + paceAfterMs) / 2 / kinds.paceMs
    paceMs = paceAfterMs
    const more =
      `  (others took ${outcome.others.toFixed(2)} cores${isQuiet ? '' : ': does not count'}; ` +
      `the machine's own work took ${slower.toFixed(2)} of what it took when costs were measured)`
    print(line(`real ${run}`, outcome, more))
    if (!isQuiet) continue
    reals.push(outcome)
    const costs = scaled(kinds.shared, slower)
    for (let seed = 1; seed <= SEEDS; seed += 1) simulateds.push(await simulated(costs, outcome.others, seed))
    print(line(`simulated ${run}`, simulateds.at(-1) as Outcome, `  (one of ${SEEDS})`))
  }
  if (reals.length < runs) throw new Error('the machine is too busy to calibrate on: other processes run')
  const rate = middle(simulateds).ratePerS / middle(reals).ratePerS
  const p99 = middle(simulateds).p99Ms / middle(reals).p99Ms
  const isNear = [rate, p99].every((ratio) => Math.abs(ratio - 1) <= TOLERANCE)
  print(
    `medians, simulated / real: rate ${rate.toFixed(2)}, p99 ${p99.toFixed(2)}: ${isNear ? 'calibrated' : 'NOT within 15 %'}`,
  )
  if (values.write) keep(kinds, { rate: Number(rate.toFixed(3)), p99: Number(p99.toFixed(3)), runs })
  if (!isNear) process.exitCode = 1
} finally {
  await server.dispose()
}

function keep({ alone, shared }: Measured, calibration: object): void {
  const file = new URL('costs.json', import.meta.url)
  const kept = JSON.parse(readFileSync(file, 'utf8')) as Record<'alone' | 'shared' | 'calibration', object>
  const next = {
    measured: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores, ${platform()}, Node ${process.version}`,
    calibration: { ...kept.calibration, [engine]: calibration },
    alone: { ...kept.alone, [engine]: alone },
    shared: { ...kept.shared, [engine]: shared },
  }
  writeFileSync(file, `${JSON.stringify(next, undefined, 2)}\n`)
}
