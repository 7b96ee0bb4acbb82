/** PURE: a table of text as wide as its contents, less the columns that do not fit. */

export interface Column<T> {
  readonly title: string
  /** Numbers and durations stand to the right. */
  readonly align: 'left' | 'right'
  readonly text: (row: T) => string
}

const GAP = '  '
/** Longer texts are cut. */
const MOST_WIDTH = 24

/**
 * A heading, and a line for each row.
 *
 * @param columns in the order of their importance: the last are left out where there is no room
 */
export function tableLines<T>(columns: readonly Column<T>[], rows: readonly T[], width: number): string[] {
  const cells = columns.map(({ title, text }) => [title, ...rows.map((row) => cut(text(row)))])
  const widths = cells.map((column) => Math.max(...column.map(({ length }) => length)))
  let room = width
  const count = widths.findIndex((of, index) => (room -= of + (index === 0 ? 0 : GAP.length)) < 0)
  const shown = columns.slice(0, count < 0 ? columns.length : Math.max(1, count))
  return [undefined, ...rows].map((_row, line) =>
    shown
      .map(({ align }, index) => {
        const text = cells[index]?.[line] ?? ''
        const of = widths[index] ?? 0
        return align === 'right' ? text.padStart(of) : text.padEnd(of)
      })
      .join(GAP)
      .trimEnd()
      .slice(0, width),
  )
}

function cut(text: string): string {
  return text.length <= MOST_WIDTH ? text : `${text.slice(0, MOST_WIDTH - 3)}...`
}
