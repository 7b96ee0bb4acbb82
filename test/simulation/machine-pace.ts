// How slow the machine is just now. Virtual machines share their processors with others, and the same work takes half as
// much CPU time again a minute later: costs measured in one minute say little of a run in the next, unless scaled.
import { execFile } from 'node:child_process'
import { cpus } from 'node:os'
import { promisify } from 'node:util'

/** Compiles, hashes, allocates and walks memory, as servers and environments do; a third of a second or so. */
const WORK = `
  const { createHash } = require('node:crypto')
  let sum = 0
  const rows = []
  for (let index = 0; index < 30000; index += 1) {
    rows.push({ id: index, name: 'row ' + index, tags: [index % 7, index % 11] })
    if (index % 10 === 0) sum += createHash('sha256').update(JSON.stringify(rows.at(-1))).digest()[0]
  }
  for (let turn = 0; turn < 20; turn += 1) {
    const found = new Map(rows.map((row) => [row.name, row]))
    for (let index = 0; index < rows.length; index += 3) sum += found.get('row ' + index).tags[1]
  }
  const { user, system } = process.cpuUsage()
  console.log(JSON.stringify({ sum, ms: (user + system) / 1000 }))
`

async function once(): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', WORK])
  return (JSON.parse(stdout) as { ms: number }).ms
}

/** CPU milliseconds of the same work on all cores at once; the more, the slower the machine. */
export async function machinePaceMs(): Promise<number> {
  const all = await Promise.all(cpus().map(() => once()))
  return all.reduce((sum, each) => sum + each, 0) / all.length
}
