/**
 * The sidecar's process. `supervised`: the launcher speaks with Lambda, waits for a line on its standard output, and
 * says on the standard input when the environment ends. `alone` and `idle`: where there is no shell that could.
 */

import { writeSync } from 'node:fs'

import { liveAlone } from './alone.ts'
import { consoleLogger, LimitedLog, nameOf, systemClock, systemEnv } from './core.ts'
import { Sidecar } from './sidecar.ts'

const log = new LimitedLog(
  // Standard output is the launcher's.
  { warn: (...line) => consoleLogger.error(...line), error: (...line) => consoleLogger.error(...line) },
  systemClock,
)

// An extension that ends takes the function with it: what can still be served is.
const goOn = (error: unknown): void => {
  log.once('sidecar', `the sidecar had a fault and goes on (${nameOf(error)})`)
}
process.on('uncaughtException', goOn)
process.on('unhandledRejection', goOn)

const [, , mode] = process.argv

if (mode === 'supervised') void supervised()
else void liveAlone(systemEnv, systemClock, mode === 'alone' ? new Sidecar(systemEnv, log) : undefined)

async function supervised(): Promise<void> {
  const sidecar = new Sidecar(systemEnv, log)
  const ended = new Promise((resolve) => {
    // A line means that the environment ends; the end means that the launcher is gone, and soon we are.
    process.stdin.once('data', resolve).once('end', resolve).once('error', resolve)
  })
  await sidecar.start()
  process.stdout.on('error', () => undefined)
  writeSync(1, 'ready\n')
  await ended
  await sidecar.end()
  process.exit(0)
}
