/** `leasehold plan`: which reserved concurrency, pool size and headroom keep every request answered. */

import { writeFile } from 'node:fs/promises'

import { codeOf } from '@leasehold/core'
import { provenance } from '@leasehold/simulation'
import { Command } from 'commander'

import type { Io } from '../io.ts'
import { UsageError } from '../target/usage.ts'
import { addPlanArguments, functionsIn, type PlanArguments } from './arguments.ts'
import { limitOf } from './limit-source.ts'
import type { PlanOptions, Progress } from './options.ts'
import { plan } from './plan.ts'
import { report } from './report.ts'
import { svgChart } from './svg-chart.ts'

const EXAMPLES = `
Examples:
  $ leasehold plan --max-connections 100 --rate 400 --work-ms 40
  $ leasehold plan --instance-class db.r6g.large --engine postgresql --rate 800 --work-ms 40 --other-ms 200
  $ leasehold plan --acu 0.5-16 --engine mysql --aurora --rate 300 --work-ms 20 --concurrency 50
  $ leasehold plan postgres://app@db.example/shop --function orders:rate=300,work=40 --function report:rate=1,work=3000

It simulates, some seconds long, and touches no server but to ask one for its limit.
Exit codes: 0 the load is carried, 1 it is not (or the server did not answer), 2 the command line cannot be right.
`

export function planCommand(io: Io): Command {
  const command = new Command('plan').description(
    'say which reserved concurrency keeps every request answered',
  )
  return addPlanArguments(command)
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, given: PlanArguments) => {
      const functions = functionsIn(given)
      const limit = await limitOf(given, url, command, io)
      const progress = progressLine(io)
      const result = await plan({ ...merged(given, limit), functions, onProgress: progress.show }).finally(
        progress.clear,
      )
      if (given.svg !== undefined) await draw(given.svg, svgChart(result))
      const { source, isEstimate } = limit
      const text =
        given.json === true
          ? `${JSON.stringify({ limit: { source, isEstimate }, provenance: provenance(result.engine), ...result }, null, 2)}\n`
          : report(result, limit, provenance(result.engine))
      io.stdout.write(text)
      io.exitCode = result.holds ? 0 : 1
    })
}

type Rest = Omit<PlanOptions, 'functions'>

/** What the command line says wins over what was found. */
function merged(given: PlanArguments, limit: Rest): Rest {
  const said: Partial<Rest> = {
    reservedCount: given.reserved,
    otherCount: given.others,
    headroomCount: given.headroom,
    p99TargetMs: given.p99Ms,
    cores: given.cores,
    seed: given.seed,
  }
  const isSaid = ([, value]: [string, unknown]): boolean => value !== undefined
  const { maxConnections, engine, reservedCount, loginLimitCount, otherCount, cores } = limit
  const found = { engine, reservedCount, loginLimitCount, otherCount, cores }
  return { ...found, ...Object.fromEntries(Object.entries(said).filter(isSaid)), maxConnections }
}

/** One line that is written over, for people alone. */
function progressLine({ stderr }: Io): { show: (progress: Progress) => void; clear: () => void } {
  if (stderr.isTTY !== true) return { show: () => {}, clear: () => {} }
  const clear = (): void => void stderr.write('\r\u001b[K')
  return {
    show: ({ run, concurrency }) => {
      clear()
      stderr.write(`simulating: run ${run}, ${concurrency} environments`)
    },
    clear,
  }
}

async function draw(file: string, svg: string): Promise<void> {
  await writeFile(file, svg).catch((error: unknown) => {
    throw new UsageError(`--svg: ${file} cannot be written (${codeOf(error)})`)
  })
}
