import { describe, expect, it } from 'vitest'

import { tellWait, waitsIn } from '../src/wait-locks.ts'

describe('what a session tells of its wait', () => {
  const indexOf = (waitedMs: number): string | undefined =>
    /:w(\d+):/.exec(tellWait('lh:shop', waitedMs) ?? '')?.[1]

  it('is the nearest of fifteen, by half a doubling', () => {
    const told = [50, 58, 61, 80, 400, 500, 6_400, 60_000].map((waitedMs) => waitsIn(indexOf(waitedMs))[0])
    expect(told).toEqual([50, 50, 70.7, 70.7, 400, 565.7, 6_400, 6_400].map((ms) => expect.closeTo(ms, 1)))
  })

  it('is nothing where it was shorter than the shortest that others would wait out of courtesy', () => {
    expect([0, 1, 20, 49].map(indexOf)).toEqual([undefined, undefined, undefined, undefined])
  })

  it('has a name that a server takes, for the longest name of a fleet', () => {
    const head = `lh:${'~a'.repeat(20)}`
    const [, fixed = ''] = /concat\('([^']*)'/.exec(tellWait(head, 60_000) ?? '') ?? []
    expect(fixed.length + String(Math.floor(2 ** 33 / 2)).length).toBeLessThanOrEqual(64)
  })
})
