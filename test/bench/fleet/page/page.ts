// The page and its charts as they are to be: made of the stored figures, and compared with what is there.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

import { drawSvg } from '../charts/draw.ts'
import { fleetBlocks } from './fleet-blocks.ts'
import { filled } from './markdown.ts'
import { simulationBlocks } from './simulation-blocks.ts'
import { readStored } from './stored.ts'

const PAGE = 'benchmarks.md'
const FOLDER = 'benchmarks/'
const DATA_FOLDER = 'benchmarks/data/'

/** Where raw figures are, in a folder of documents. */
export function dataFolder(docs: URL): URL {
  return new URL(DATA_FOLDER, docs)
}

/** Texts by their paths in `docs`. What is written by hand is taken from the page that is there. */
export async function madeFiles(docs: URL): Promise<ReadonlyMap<string, string>> {
  const { fleets, simulated } = readStored(dataFolder(docs))
  const all = [fleetBlocks(fleets), simulationBlocks(simulated)]
  const texts = new Map(all.flatMap((made) => [...made.texts]))
  const files = new Map([[PAGE, filled(readFileSync(new URL(PAGE, docs), 'utf8'), texts)]])
  // One after the other: Vega counts its identifiers in one place.
  for (const { name, title, spec } of all.flatMap(({ charts }) => charts)) {
    files.set(`${FOLDER}${name}`, await drawSvg(spec, title))
  }
  return files
}

/** Paths of what is not as it is to be: changed, missing, or of no data any more. */
export function differing(docs: URL, files: ReadonlyMap<string, string>): readonly string[] {
  const changed = [...files].filter(([path, text]) => {
    const url = new URL(path, docs)
    return !existsSync(url) || readFileSync(url, 'utf8') !== text
  })
  return [...changed.map(([path]) => path), ...leftOver(docs, files)]
}

export function writeFiles(docs: URL, files: ReadonlyMap<string, string>): void {
  mkdirSync(new URL(FOLDER, docs), { recursive: true })
  for (const path of leftOver(docs, files)) rmSync(new URL(path, docs))
  for (const [path, text] of files) writeFileSync(new URL(path, docs), text)
}

function leftOver(docs: URL, files: ReadonlyMap<string, string>): readonly string[] {
  const folder = new URL(FOLDER, docs)
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.svg')) : []
  return names.map((name) => `${FOLDER}${name}`).filter((path) => !files.has(path))
}
