import { describe, expect, it } from 'vitest'

import { requestOf } from '../arguments.ts'

describe('the command line', () => {
  it('takes scenarios by name, in the order given', () => {
    expect(requestOf(['heavy', 'plenty']).scenarios.map(({ name }) => name)).toEqual(['heavy', 'plenty'])
  })

  it('changes environments, limit and length of a scenario', () => {
    const [changed] = requestOf([
      'contention',
      '--environments',
      '90',
      '--limit',
      '50',
      '--seconds',
      '3',
    ]).scenarios
    expect(changed?.fleets[0]?.environments).toBe(90)
    expect(changed?.maxConnections).toBe(50)
    expect(changed?.seconds).toBe(3)
  })

  it('takes several policies and engines', () => {
    const { policies, engines } = requestOf(['--policy', 'bare,proxy', '--engine', 'mysql'])
    expect(policies).toEqual(['bare', 'proxy'])
    expect(engines).toEqual(['mysql'])
  })

  it('takes several runs, each from a seed of its own', () => {
    expect(requestOf([]).seeds).toEqual([1])
    expect(requestOf(['--seed', '7', '--runs', '3']).seeds).toEqual([7, 8, 9])
  })

  it.each([
    [['contentions'], 'no scenario is called `contentions`'],
    [['--limit', 'many'], '--limit must be a whole number'],
    [['--seconds', '0'], '--seconds must be a whole number from 1'],
    [['--runs', '0'], '--runs must be a whole number from 1'],
    [['--policy', 'best'], '--policy must be one of leasehold'],
    [['--engine', 'oracle'], '--engine must be one of postgresql'],
    [['--set', 'max=3'], '--set takes name=number'],
    [['--unknown'], "Unknown option '--unknown'"],
  ])('refuses %j and says what it takes', (args, message) => {
    expect(() => requestOf(args)).toThrow(message)
  })
})
