// The README shows what the code says: its examples are the examples' files, its options the field table.
import { readFile, writeFile } from 'node:fs/promises'

import { ERROR_CODES, optionsTable } from '@leasehold/core'
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

describe('the page of errors', () => {
  it('has a section for every code', async () => {
    const page = await read('docs/errors.md')
    for (const code of ERROR_CODES) expect(page).toContain(`## ${code}`)
  })
})
