// `pnpm simulate`: scenarios by name, as a table; raw figures with `--json`.
import { writeFileSync } from 'node:fs'

import { type Request, requestOf, UsageError } from './arguments.ts'
import { provenance } from './costs.ts'
import type { Figures } from './figures.ts'
import { simulate } from './simulation.ts'
import { tableOf } from './table.ts'

async function run({ scenarios, engines, policies, seeds, overrides, json }: Request): Promise<void> {
  const all: Figures[] = []
  for (const scenario of scenarios) {
    for (const engine of engines) {
      for (const policy of policies) {
        if (process.stderr.isTTY) process.stderr.write(`${scenario.name}, ${engine}, ${policy}\n`)
        for (const seed of seeds) all.push(await simulate(scenario, { policy, engine, seed, overrides }))
      }
    }
  }
  process.stdout.write(`${provenance()}\n\n${tableOf(all)}\n`)
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ provenance: provenance(), runs: all })}\n`)
}

try {
  await run(requestOf(process.argv.slice(2)))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
