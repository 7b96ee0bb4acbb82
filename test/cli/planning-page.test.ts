// The page on planning shows what the program prints.
import { readFile, writeFile } from 'node:fs/promises'

import { expect, it } from 'vitest'

import { leasehold } from './run.ts'

const PAGE = new URL('../../docs/planning.md', import.meta.url)
const EXAMPLE = /<!-- leasehold (?<args>[^\n]*) -->\n+(?:```text\n[^]*?```\n+)?/u

it('the page on planning shows an example as the program prints it (rewritten when LEASEHOLD_WRITE_DOCS is set)', async () => {
  const page = await readFile(PAGE, 'utf8')
  const { args = '' } = EXAMPLE.exec(page)?.groups ?? {}
  const { exitCode, stdout, stderr } = await leasehold(args.split(' '))
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const shown = `<!-- leasehold ${args} -->\n\n\`\`\`text\n$ leasehold ${args}\n\n${stdout.trimEnd()}\n\`\`\`\n\n`
  const expected = page.replace(EXAMPLE, () => shown)
  if (process.env['LEASEHOLD_WRITE_DOCS'] === undefined) expect(page).toBe(expected)
  else await writeFile(PAGE, expected)
}, 60_000)
