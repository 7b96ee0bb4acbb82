// The raw figures under docs/benchmarks/data: gzipped JSON, read and added to.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'

import type { Simulated } from '../charts/simulated.ts'
import type { BenchFile, FleetRun } from '../result.ts'

export interface StoredFleet {
  /** `fleet-2026-11-21-1405.json.gz`. */
  readonly name: string
  readonly file: BenchFile
}

export interface Stored {
  /** The newest first. */
  readonly fleets: readonly StoredFleet[]
  readonly simulated: Simulated | undefined
}

export const SIMULATION_NAME = 'simulation.json.gz'
const FLEET_NAME = /^fleet-.*\.json\.gz$/

export function readStored(folder: URL): Stored {
  const names = existsSync(folder) ? readdirSync(folder).toSorted() : []
  const fleets = names
    .filter((name) => FLEET_NAME.test(name))
    .map((name) => ({ name, file: read(new URL(name, folder)) as BenchFile }))
  const simulated = names.includes(SIMULATION_NAME)
    ? (read(new URL(SIMULATION_NAME, folder)) as Simulated)
    : undefined
  return {
    fleets: fleets.toSorted((left, right) => (left.file.startedAt < right.file.startedAt ? 1 : -1)),
    simulated,
  }
}

/** Of each scenario on each engine the newest file's runs alone: what is compared ran together. */
export function newestRuns(fleets: readonly StoredFleet[]): readonly FleetRun[] {
  const taken = new Map<string, StoredFleet>()
  return fleets.flatMap((fleet) =>
    fleet.file.runs.filter(({ scenario, engine }) => {
      const key = `${scenario} ${engine}`
      if (!taken.has(key)) taken.set(key, fleet)
      return taken.get(key) === fleet
    }),
  )
}

/** Stores what `bench:fleet --json` or `simulate --json` wrote, and drops what it takes the place of. */
export function addFile(folder: URL, path: string): void {
  const added: unknown = JSON.parse(readFileSync(path, 'utf8'))
  mkdirSync(folder, { recursive: true })
  if (isSimulated(added)) {
    const { simulated } = readStored(folder)
    const keyOf = ({ scenario, engine, policy }: Simulated['runs'][number]): string =>
      `${scenario} ${engine} ${policy}`
    const keys = new Set(added.runs.map(keyOf))
    const kept = simulated?.runs.filter((run) => !keys.has(keyOf(run))) ?? []
    write(new URL(SIMULATION_NAME, folder), { ...added, runs: [...kept, ...added.runs] })
    return
  }
  if (!isFleet(added))
    throw new TypeError(`${path} is neither of \`bench:fleet --json\` nor of \`simulate --json\``)
  const minute = added.startedAt.slice(0, 16).replace('T', '-').replace(':', '')
  // Where the file was is nobody's business.
  const command = added.command.replace(/(--json[ =])\S*\//, '$1')
  write(new URL(`fleet-${minute}.json.gz`, folder), { ...added, command })
  const { fleets } = readStored(folder)
  const used = new Set(newestRuns(fleets))
  for (const { name, file } of fleets) {
    if (!file.runs.some((run) => used.has(run))) rmSync(new URL(name, folder))
  }
}

function isSimulated(value: unknown): value is Simulated {
  return isObject(value) && 'provenance' in value && 'runs' in value
}

function isFleet(value: unknown): value is BenchFile {
  return isObject(value) && 'startedAt' in value && 'machine' in value && 'runs' in value
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function read(path: URL): unknown {
  return JSON.parse(gunzipSync(readFileSync(path)).toString())
}

/** Five digits are more than any of it is good for. */
function write(path: URL, value: unknown): void {
  const text = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'number' && !Number.isInteger(part) ? Number(part.toPrecision(5)) : part,
  )
  writeFileSync(path, gzipSync(`${text}\n`, { level: 9 }))
}
