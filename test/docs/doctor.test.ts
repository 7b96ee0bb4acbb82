// The pages of the two commands that look at a server show what the code says.
import { readFile, writeFile } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import { FAULTS } from '../../packages/cli/src/doctor/faults.ts'
import { faultSections } from '../../packages/cli/src/doctor/table.ts'
import { leasehold } from '../../packages/cli/test/captured.ts'

const PAGE = new URL('../../docs/doctor.md', import.meta.url)

/** The page with its lists filled in from the code's. */
function rendered(page: string): string {
  return page.replace(
    /<!-- faults -->\n[^]*?(?=\n## What it can't see)/,
    () => `<!-- faults -->\n\n${faultSections()}\n`,
  )
}

describe('the page of the doctor', () => {
  it('shows every step and fault as they are (rewritten when LEASEHOLD_WRITE_DOCS is set)', async () => {
    const page = await readFile(PAGE, 'utf8')
    if (process.env['LEASEHOLD_WRITE_DOCS'] !== undefined) await writeFile(PAGE, rendered(page))
    // The formatter pads the cells of tables.
    else expect(squeezed(page)).toBe(squeezed(rendered(page)))
  })

  it('has a line for every fault', async () => {
    const page = await readFile(PAGE, 'utf8')
    for (const code of Object.keys(FAULTS)) expect(page).toContain(`| \`${code}\``)
  })

  it.each(['doctor', 'top'])('names only options and variables that %s has', async (command) => {
    const page = await readFile(new URL(`../../docs/${command}.md`, import.meta.url), 'utf8')
    const { stdout } = await leasehold([command, '--help'])
    for (const [name] of page.matchAll(/--[a-z][a-z-]+|LEASEHOLD_[A-Z]+/g)) {
      if (name !== '--help') expect(stdout).toContain(name)
    }
  })
})

function squeezed(text: string): string {
  return text.replaceAll(/ {2,}/g, ' ').replaceAll(/-{3,}/g, '---')
}
