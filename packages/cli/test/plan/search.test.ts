import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { edgeOf } from '../../src/plan/search.ts'

const most = 10_000
const start = fc.integer({ min: 1, max: most })

describe('the edge between what holds and what does not', () => {
  it('is found to a twentieth, from wherever the search begins, with few questions', async () => {
    await fc.assert(
      fc.asyncProperty(start, start, async (first, edge) => {
        let asked = 0
        const found = await edgeOf({ least: 1, first, most }, async (value) => {
          asked += 1
          return value <= edge
        })
        expect(found.holds).toBeLessThanOrEqual(edge)
        expect(found.fails ?? most + 1).toBeGreaterThan(edge)
        if (found.fails !== undefined) {
          expect(found.fails - found.holds).toBeLessThanOrEqual(Math.max(1, found.holds / 20))
        }
        expect(asked).toBeLessThanOrEqual(40)
      }),
    )
  })

  it('is none where nothing holds, and open where everything does', async () => {
    expect(await edgeOf({ least: 2, first: 90, most }, async () => false)).toEqual({ holds: 0, fails: 2 })
    expect(await edgeOf({ least: 2, first: 90, most }, async () => true)).toEqual({
      holds: most,
      fails: undefined,
    })
  })
})
