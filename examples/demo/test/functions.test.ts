// The comparison is fair only if the two functions of an engine are the same but for the pool.
import { readFileSync } from 'node:fs'

import { expect, it } from 'vitest'

import { ENGINES } from '../src/scenario.ts'

function linesOf(path: string): readonly string[] {
  return readFileSync(new URL(`../functions/${path}.mjs`, import.meta.url), 'utf8').split('\n')
}

it.each(ENGINES)('the %s functions differ in their comment, their import and their pool alone', (engine) => {
  const bare = linesOf(`${engine}/bare`)
  const governed = linesOf(`${engine}/governed`)
  const different = bare.filter((line, index) => line !== governed[index])
  expect(governed).toHaveLength(bare.length)
  expect(different).toEqual([
    expect.stringMatching(/^\/\/ /),
    expect.stringMatching(/^import /),
    expect.stringMatching(/^const pool = /),
  ])
})
