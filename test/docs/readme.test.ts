// The README shows what the code says: its examples are the examples' files, its options the field table.
import { readFile, writeFile } from 'node:fs/promises'

import { ERROR_CODES, eventsTable, metricsTable, optionsTable } from '@leasehold/core'
import { describe, expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string): Promise<string> => readFile(new URL(path, root), 'utf8')

const EXAMPLES = ['examples/postgresql/index.mjs', 'examples/mysql/index.mjs']

/** The README with examples and options table filled in from their sources. */
async function rendered(readme: string): Promise<string> {
  let text = readme
  for (const path of EXAMPLES) {
    const block = `<!-- ${path} -->\n\`\`\`js\n${await read(path)}\`\`\``
    text = text.replace(new RegExp(`<!-- ${path} -->\\n+\`\`\`js\\n[^]*?\`\`\``), () => block)
  }
  const table = `<!-- options -->\n\n${optionsTable()}\n\n`
  return text.replace(/<!-- options -->\n+(?:\|[^\n]*\n)*\n*/, () => table)
}

describe('the README', () => {
  it('shows the examples and the options as they are (rewritten when LEASEHOLD_WRITE_DOCS is set)', async () => {
    const readme = await read('README.md')
    const expected = await rendered(readme)
    if (process.env['LEASEHOLD_WRITE_DOCS'] !== undefined)
      await writeFile(new URL('README.md', root), expected)
    else expect(readme).toBe(expected)
  })

  it('shows examples of 15 lines at most, blank lines left out', async () => {
    for (const path of EXAMPLES) {
      const lines = (await read(path)).split('\n').filter((line) => line.trim() !== '')
      expect(lines.length, path).toBeLessThanOrEqual(15)
    }
  })
})

describe('the page of metrics', () => {
  /** Table rows without the spaces that align their cells. */
  const rows = (text: string): string[] =>
    text
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) =>
        line.replaceAll(/ +\|/g, ' |').replaceAll(/-{2,}/g, '---').replaceAll('| --- |', '|---|'),
      )
      .map((line) => line.replaceAll(/\| +/g, '| ').replaceAll(/(?<=\|)\s*(-+)\s*(?=\|)/g, '$1'))

  it.each([
    ['metrics', metricsTable],
    ['events', eventsTable],
  ])('has the table of %s as it is (rewritten when LEASEHOLD_WRITE_DOCS is set)', async (name, table) => {
    const page = await read('docs/metrics.md')
    const part = new RegExp(`<!-- ${name} -->\\n([^]*?)<!-- /${name} -->`)
    if (process.env['LEASEHOLD_WRITE_DOCS'] !== undefined) {
      const text = page.replace(part, () => `<!-- ${name} -->\n\n${table()}\n\n<!-- /${name} -->`)
      await writeFile(new URL('docs/metrics.md', root), text)
    } else expect(rows(part.exec(page)?.[1] ?? '')).toEqual(rows(table()))
  })
})

describe('the page of errors', () => {
  it('has a section for every code', async () => {
    const page = await read('docs/errors.md')
    for (const code of ERROR_CODES) expect(page).toContain(`## ${code}`)
  })
})
