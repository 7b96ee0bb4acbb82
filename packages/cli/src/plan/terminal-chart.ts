/** PURE: sessions against the limit, and requests under way, as a picture of characters. */

import type { Plan } from './plan.ts'

const ROWS = 8
const EIGHTHS = ['', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']

/** `height` rows from the top down, each column a bar of its value, of `most` at the top. */
function bars(values: readonly number[], most: number, height: number): string[] {
  return Array.from({ length: height }, (_, row) =>
    values
      .map((value) => {
        const eighths = Math.round((8 * height * value) / most) - 8 * (height - 1 - row)
        // What there is, however little, shows.
        const least = row === height - 1 && value > 0 ? 1 : 0
        return EIGHTHS[Math.max(least, Math.min(8, eighths))] || ' '
      })
      .join(''),
  )
}

export function terminalChart({ rise, slots }: Plan): string {
  const limit = slots.functionsCount
  const sessions = rise.samples.map((sample) => sample.sessions)
  const underWay = rise.samples.map((sample) => sample.waiting)
  const mostUnderWay = Math.max(1, ...underWay)
  const labels = [String(limit), '0', String(mostUnderWay)]
  const width = Math.max(...labels.map((label) => label.length))
  const columns = rise.samples.length
  const row = (label: string, text: string): string => `${label.padStart(width)} │${text}`.trimEnd()
  const risesAt = Math.round((columns * rise.atS) / rise.seconds)
  const times = [`0 s`, `${rise.atS.toFixed(1)} s: more than the concurrency lets through`]
  return [
    `sessions, of ${limit} slots, with ${rise.concurrency} environments`,
    row(String(limit), '╌'.repeat(columns)),
    ...bars(sessions, limit, ROWS).map((text, index) => row(index === ROWS - 1 ? '0' : '', text)),
    'requests under way: those without a session wait for a slot, or are at other work',
    ...bars(underWay, mostUnderWay, 2).map((text, index) =>
      row(index === 0 ? String(mostUnderWay) : '0', text),
    ),
    `${' '.repeat(width)} └${'─'.repeat(columns)}`,
    `${' '.repeat(width)}  ${times[0]?.padEnd(risesAt)}${times[1]}`,
  ].join('\n')
}
