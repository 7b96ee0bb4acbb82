// The few options of the demo. Without any it does everything.
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import type { Engine } from '@leasehold/test-databases'

import { ENGINES } from './scenario.ts'

export interface CommandLine {
  readonly engines: readonly Engine[]
  /** Absolute. */
  readonly reportPath: string
  /** For the Node.js of every environment. */
  readonly nodeArgs: readonly string[]
}

const USAGE = `options:
  --engine NAME   ${ENGINES.join(' or ')}; may be given more than once (default: all)
  --report FILE   where the report goes (default: demo-report.html at the root of the repository)
  --source        run the functions on the packages' sources, not on what was built`

/** Throws with the usage if there is anything it does not know. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { engine, report, source } = parse(args)
  const unknown = engine?.filter((name) => !ENGINES.some((known) => known === name)) ?? []
  if (unknown.length > 0) throw new Error(`no such engine: ${unknown.join(', ')}\n${USAGE}`)
  return {
    engines: engine === undefined ? ENGINES : ENGINES.filter((name) => engine.includes(name)),
    reportPath: resolve(report ?? fileURLToPath(new URL('../../../demo-report.html', import.meta.url))),
    nodeArgs: source === true ? ['--conditions=@leasehold/source'] : [],
  }
}

function parse(args: readonly string[]): { engine?: string[]; report?: string; source?: boolean } {
  try {
    return parseArgs({
      args: [...args],
      options: {
        engine: { type: 'string', multiple: true },
        report: { type: 'string' },
        source: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`, { cause: error })
  }
}
