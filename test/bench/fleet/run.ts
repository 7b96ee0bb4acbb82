// The benchmark of real fleets: `pnpm bench:fleet`. README.md beside this file says what is measured, and how.
import { readFileSync, writeFileSync } from 'node:fs'

import { type Wanted, wantedOf } from './command-line.ts'
import { machine, versions } from './machine.ts'
import { runOnce } from './one-run.ts'
import { turnsOf } from './plan.ts'
import type { BenchFile, EngineName, FleetRun } from './result.ts'
import type { Scenario } from './scenarios.ts'
import { lineOf, tableOf, verdictTable } from './table.ts'
import { verdictsOf } from './targets.ts'
import { startWorld } from './world.ts'

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

const startedAt = new Date().toISOString()
const found: Record<string, string> = versions()
const runs: FleetRun[] = []

async function runAll(wanted: Wanted, scenario: Scenario, engine: EngineName): Promise<void> {
  const turns = turnsOf(scenario, engine, wanted)
  if (turns.length === 0) return
  const world = await startWorld(engine, scenario.slots)
  found[world.server.name] = world.server.version
  const nodeArgs = wanted.isOnSources ? ['--conditions=@leasehold/source'] : []
  try {
    for (const { round, subject } of turns) {
      const run = await runOnce(world, scenario, subject, { round, nodeArgs })
      runs.push(run)
      print(lineOf(run))
      keep(wanted)
    }
  } finally {
    await world.dispose()
  }
}

/** After every run: hours may be in it. */
function keep({ jsonPath }: Wanted): void {
  if (jsonPath === undefined) return
  const file: BenchFile = {
    machine: machine(),
    versions: found,
    startedAt,
    command: ['pnpm bench:fleet', ...process.argv.slice(2)].join(' '),
    runs: [...earlier, ...runs],
  }
  writeFileSync(jsonPath, `${JSON.stringify(file)}\n`)
}

function earlierRuns({ jsonPath, isAppended }: Wanted): readonly FleetRun[] {
  if (jsonPath === undefined || !isAppended) return []
  const file = JSON.parse(readFileSync(jsonPath, 'utf8')) as BenchFile
  Object.assign(found, file.versions)
  return file.runs
}

const wanted = wantedOf(process.argv.slice(2))
const earlier = earlierRuns(wanted)
for (const scenario of wanted.scenarios) {
  print(`\n${scenario.name}: ${scenario.about}`)
  for (const engine of wanted.engines) await runAll(wanted, scenario, engine)
}
const verdicts = verdictsOf(runs)
print(`\n${tableOf(runs)}\n\n${verdictTable(verdicts)}`)
if (wanted.isStrict && verdicts.some(({ isMet }) => !isMet)) process.exitCode = 1
