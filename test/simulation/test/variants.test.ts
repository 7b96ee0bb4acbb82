// A variant that no longer fits core's text would simulate the product, and be taken for the variant.
import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { VARIANTS } from '../variants/changes.ts'

describe('a variant of the policy', () => {
  it.each([...VARIANTS])('%s changes text that is there, once', (_name, { changes }) => {
    for (const { file, from } of changes) {
      const text = readFileSync(new URL(`../../../packages/core/src/${file}`, import.meta.url), 'utf8')
      expect(text.split(from)).toHaveLength(2)
    }
  })
})
