// The demo: start the servers, play the story twice on each, show it, write the report.
import { writeFile } from 'node:fs/promises'

import type { DatabaseServer } from '@leasehold/test-databases'

import { assertBuilt } from './built.ts'
import { readCommandLine } from './command-line.ts'
import { colours, createLiveView } from './live/live-view.ts'
import { describeMachine } from './machine.ts'
import { outcomeOf } from './outcome.ts'
import { Recorder, type Recording } from './recording.ts'
import { renderReport } from './report/page.ts'
import { run } from './run.ts'
import { ENGINE_TITLES, MAX_CONNECTIONS, VARIANTS } from './scenario.ts'
import { missingEngines, startServers } from './servers.ts'
import { summaryTable } from './summary-table.ts'

const EXIT_WITHIN_MS = 3_000

const startedMs = performance.now()
const stop = new AbortController()
let areServersUp = false

process.exitCode = await demo().catch(failed)
// Should anything be left that keeps this process alive, its guards end it with the process.
setTimeout(() => process.exit(), EXIT_WITHIN_MS).unref()

async function demo(): Promise<number> {
  const { engines, reportPath, nodeArgs } = readCommandLine(process.argv.slice(2))
  if (nodeArgs.length === 0) assertBuilt(engines)
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // Guards end what this process started. The second time there is no patience left for better manners.
      if (stop.signal.aborted || !areServersUp) process.exit(130)
      say('\nstopping …')
      stop.abort(new Error('stopped'))
    })
  }
  for (const engine of await missingEngines(engines)) {
    say(`${ENGINE_TITLES[engine]} is not here; trying to install it, which may take a minute …`)
  }
  const titles = engines.map((engine) => ENGINE_TITLES[engine]).join(' and ')
  say(`starting ${titles}, ${MAX_CONNECTIONS} connections allowed …`)
  const { started, problems } = await startServers(engines)
  areServersUp = true
  for (const problem of problems) say(colours.bad(problem))
  try {
    const recordings = await runAll(started, nodeArgs)
    if (recordings.length > 0) await conclude(recordings, problems, reportPath)
  } finally {
    await Promise.allSettled(started.map((server) => server.dispose()))
  }
  return problems.length > 0 ? 1 : 0
}

async function runAll(
  servers: readonly DatabaseServer[],
  nodeArgs: readonly string[],
): Promise<readonly Recording[]> {
  const recordings: Recording[] = []
  const view = createLiveView(process.stdout)
  const runCount = servers.length * VARIANTS.length
  for (const server of servers) {
    for (const variant of VARIANTS) {
      const { engine, slots } = server
      const serverName = `${ENGINE_TITLES[engine]} ${server.version}`
      const recorder = new Recorder({ engine, serverName, variant, slots }, () => performance.now())
      const runNumber = recordings.length + 1
      view.start(() => ({
        recording: recorder,
        nowMs: recorder.elapsedMs(),
        totalMs: performance.now() - startedMs,
        runNumber,
        runCount,
      }))
      try {
        await run(server, recorder, nodeArgs, stop.signal)
      } finally {
        view.stop()
      }
      recordings.push(recorder)
    }
  }
  return recordings
}

async function conclude(
  recordings: readonly Recording[],
  problems: readonly string[],
  reportPath: string,
): Promise<void> {
  say('')
  for (const line of summaryTable(recordings.map(outcomeOf))) say(line)
  // Said once more, where it is not overlooked.
  for (const problem of problems) say(colours.bad(`left out: ${problem}`))
  await writeFile(reportPath, await renderReport(recordings, describeMachine(), problems))
  say(`\nthe report: ${reportPath}`)
}

/** Tells what went wrong, unless it was wanted; the exit code. */
function failed(error: unknown): number {
  if (stop.signal.aborted) return 130
  say(colours.bad(error instanceof Error ? error.message : String(error)))
  return 1
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
