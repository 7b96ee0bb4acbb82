/** Which packages go into the layer and where: this package's dependencies and theirs, as the lockfile has them. */

import { readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly publishConfig?: { readonly exports?: unknown }
}

export interface Placed {
  readonly manifest: Manifest
  /** Where its files are on this machine. */
  readonly source: string
  /** Its folder in the layer, relative to `nodejs/node_modules`. */
  readonly target: string
}

/** The function's own SDK, or the runtime's, must never be shadowed by one in a layer. */
const NEVER = /^@(?:aws-sdk|smithy)\//u

/** Flat where it can be; a second version of a package stands below the one that needs it. Sorted by target. */
export function placePackages(root: string): Placed[] {
  const placed = new Map<string, Placed>()
  const queue = dependenciesOf(root).map(({ name }) => ({ name, from: root, below: '' }))
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { name, from, below } = next
    if (NEVER.test(name)) throw new Error(`${name} must not be in the layer; ${from} depends on it`)
    const source = folderOf(name, from)
    if (source === undefined) continue
    const flat = placed.get(name)
    const target = flat === undefined || flat.source === source ? name : join(below, 'node_modules', name)
    if (placed.get(target)?.source === source) continue
    placed.set(target, { manifest: manifestIn(source), source, target })
    for (const dependency of dependenciesOf(source)) {
      if (!dependency.optional) requireFolder(dependency.name, source)
      queue.push({ name: dependency.name, from: source, below: target })
    }
  }
  return [...placed.values()].toSorted((a, b) => (a.target < b.target ? -1 : 1))
}

function dependenciesOf(folder: string): { name: string; optional: boolean }[] {
  const { dependencies = {}, optionalDependencies = {} } = manifestIn(folder)
  const names = [...new Set([...Object.keys(dependencies), ...Object.keys(optionalDependencies)])].toSorted()
  return names.map((name) => ({ name, optional: name in optionalDependencies }))
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

function requireFolder(name: string, from: string): void {
  if (folderOf(name, from) === undefined) throw new Error(`${name} is not installed; ${from} depends on it`)
}

/** Found as Node finds it, without asking the package's `exports`. */
function folderOf(name: string, from: string): string | undefined {
  const places = createRequire(join(from, 'package.json')).resolve.paths(name) ?? []
  for (const place of places) {
    try {
      return dirname(realpathSync(join(place, name, 'package.json')))
    } catch {
      // Not in this one.
    }
  }
  return undefined
}
