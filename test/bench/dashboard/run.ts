// `pnpm bench:dashboard`: records the metrics of a fleet, and draws the dashboard over them for the docs.
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { PICTURE_PATH, readMetrics, writeMetrics } from './data.ts'
import { drawDashboard } from './picture.ts'
import { record } from './record.ts'

const USAGE = `pnpm bench:dashboard           record a fleet's metrics (two minutes), and draw the dashboard over them
pnpm bench:dashboard:picture   draw it again over what is stored
`
const docs = new URL('../../../docs/', import.meta.url)
const print = (line: string): void => void process.stdout.write(`${line}\n`)

const { values } = parseArgs({
  options: {
    record: { type: 'boolean', default: false },
    source: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) print(USAGE)
else {
  if (values.record) {
    const nodeArgs = values.source ? ['--conditions=@leasehold/source'] : []
    writeMetrics(docs, await record(nodeArgs, print))
  }
  mkdirSync(new URL('metrics/', docs), { recursive: true })
  writeFileSync(new URL(PICTURE_PATH, docs), await drawDashboard(readMetrics(docs)))
  print(`docs/${PICTURE_PATH}`)
}
