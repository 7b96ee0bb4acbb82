// `pnpm bench:fleet:page`: writes docs/benchmarks.md and its charts from stored figures, or says what is out of date.
import { parseArgs } from 'node:util'

import { dataFolder, differing, madeFiles, writeFiles } from './page.ts'
import { addFile } from './stored.ts'

const USAGE = `pnpm bench:fleet:page                   write docs/benchmarks.md and its charts from docs/benchmarks/data
pnpm bench:fleet:page --add FILE.json   first store what \`bench:fleet --json\` or \`simulate --json\` wrote
pnpm bench:fleet:page --check           write nothing; fail where page or charts are out of date
`
const docs = new URL('../../../../docs/', import.meta.url)

const { values } = parseArgs({
  options: {
    add: { type: 'string', multiple: true, default: [] },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(USAGE)
} else {
  for (const path of values.add) addFile(dataFolder(docs), path)
  const files = await madeFiles(docs)
  const changed = differing(docs, files)
  if (!values.check) writeFiles(docs, files)
  for (const path of changed) process.stdout.write(`docs/${path}${values.check ? ' is out of date' : ''}\n`)
  if (values.check && changed.length > 0) process.exitCode = 1
}
