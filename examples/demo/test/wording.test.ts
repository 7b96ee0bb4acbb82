import { describe, expect, it } from 'vitest'

import { count, duration, share, stopwatch } from '../src/wording.ts'

describe('wording', () => {
  it('groups thousands', () => {
    expect(count(1_234_567)).toBe('1 234 567')
    expect(count(999)).toBe('999')
  })

  it('calls only a whole 100 % and only nothing 0 %', () => {
    expect(share(1)).toBe('100 %')
    expect(share(0.99999)).toBe('99.9 %')
    expect(share(0.00001)).toBe('0.1 %')
    expect(share(0)).toBe('0 %')
    expect(share(0.7812)).toBe('78.1 %')
  })

  it('turns to seconds from 1 s on', () => {
    expect(duration(46.7)).toBe('47 ms')
    expect(duration(999.4)).toBe('999 ms')
    expect(duration(999.6)).toBe('1.00 s')
    expect(duration(2_345)).toBe('2.35 s')
  })

  it('has a dash for what was not measured', () => {
    expect([count(undefined), share(undefined), duration(undefined)]).toEqual(['–', '–', '–'])
  })

  it('counts minutes and seconds', () => {
    expect(stopwatch(67_900)).toBe('1:07')
  })
})
