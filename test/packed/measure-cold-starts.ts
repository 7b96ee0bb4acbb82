// `pnpm bench:layer`: what the layer does to a cold start, beside the bare driver and the library in one run.

import { median, short } from '../bench/statistics.ts'
import { type ColdStart, measureColdStarts, WAYS } from './cold-starts.ts'
import { unpackLayer } from './unpacked-layer.ts'

const ROUNDS = 15

await using layer = await unpackLayer()
const figures = await measureColdStarts(layer, ['pg', 'mysql2'], WAYS, ROUNDS)
const lines = [
  '| driver | | Init ms | ratio | processor ms | ratio | first request ms |',
  '|---|---|---|---|---|---|---|',
]
for (const { driver, starts } of figures) {
  for (const way of WAYS) {
    const of = (name: keyof ColdStart, which = way): number =>
      median(starts[which].map((start) => start[name]))
    const ratio = (name: keyof ColdStart): string => short(of(name) / of(name, 'no layer'))
    const cells = [
      driver,
      way,
      short(of('initMs')),
      ratio('initMs'),
      short(of('processorMs')),
      ratio('processorMs'),
      short(of('firstMs')),
    ]
    lines.push(`| ${cells.join(' | ')} |`)
  }
}
process.stdout.write(
  `Node ${process.version}, medians of ${ROUNDS} cold starts, by turns:\n\n${lines.join('\n')}\n`,
)
