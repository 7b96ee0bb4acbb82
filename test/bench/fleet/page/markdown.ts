// Markdown as the formatter leaves it.

export type Column<T> = readonly [title: string, text: (row: T) => string]

/** A table, its columns aligned. Columns of which no row says anything are left out. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const said = columns
    .map(([title, text]) => [title, ...rows.map(text)])
    .filter(([, ...cells]) => cells.some((cell) => cell !== ''))
  const widths = said.map((cells) => cells.reduce((widest, { length }) => Math.max(widest, length), 3))
  const lineOf = (index: number): string =>
    `| ${said.map((cells, column) => (cells[index] ?? '').padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [lineOf(0), rule, ...rows.map((_, index) => lineOf(index + 1))].join('\n')
}

/** Shown when it is clicked. */
export function folded(summary: string, text: string): string {
  return `<details><summary>${summary}</summary>\n\n${text}\n\n</details>`
}

const OPEN = /<!-- made: ([a-z0-9 -]+) -->\n/g
const END = '<!-- made end -->'
const NO_FIGURES = '_Not measured yet._'

/** Puts the texts between the marks of their names; a block without a text says that there are no figures. */
export function filled(page: string, texts: ReadonlyMap<string, string>): string {
  const names = [...page.matchAll(OPEN)].map(([, name = '']) => name)
  const homeless = [...texts.keys()].filter((name) => !names.includes(name))
  if (homeless.length > 0) {
    throw new Error(
      `docs/benchmarks.md has no place for ${homeless.join(', ')}: add \`<!-- made: … -->\` and \`${END}\``,
    )
  }
  return page.replaceAll(/<!-- made: ([a-z0-9 -]+) -->\n[^]*?<!-- made end -->/g, (_, name: string) => {
    return `<!-- made: ${name} -->\n\n${texts.get(name) ?? NO_FIGURES}\n\n${END}`
  })
}
