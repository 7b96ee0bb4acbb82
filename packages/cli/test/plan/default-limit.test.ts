import { describe, expect, it } from 'vitest'

import {
  limitOfInstance,
  limitOfServerless,
  PLAN_ENGINES,
  type PlanEngine,
} from '../../src/plan/default-limit.ts'
import { INSTANCE_CLASSES } from '../../src/plan/instance-class.ts'

describe('the default limit of an instance class', () => {
  // What AWS's guides and live servers say.
  it.each<[string, PlanEngine, number]>([
    ['db.t4g.micro', 'postgresql', 85],
    ['db.t4g.medium', 'aurora-postgresql', 405],
    ['db.t3.medium', 'aurora-postgresql', 420],
    ['db.r6g.large', 'aurora-postgresql', 1_722],
    ['db.r6g.xlarge', 'aurora-postgresql', 3_479],
    ['db.r6g.2xlarge', 'aurora-postgresql', 5_000],
    ['db.t3.small', 'aurora-mysql', 45],
    ['db.t3.medium', 'aurora-mysql', 90],
    ['db.t3.large', 'aurora-mysql', 135],
    ['db.r5.large', 'aurora-mysql', 1_000],
    ['db.r5.2xlarge', 'aurora-mysql', 3_000],
    ['db.r5.12xlarge', 'aurora-mysql', 6_000],
    ['db.r5.24xlarge', 'aurora-mysql', 7_000],
  ])('of %s on %s is within 3 %% of %d', (instanceClass, engine, published) => {
    const { maxConnections } = limitOfInstance(instanceClass, engine)
    expect(Math.abs(maxConnections / published - 1)).toBeLessThan(0.03)
  })

  it('never exceeds the formula on the nominal memory, and names the formula', () => {
    const { maxConnections, source } = limitOfInstance('db.m5.large', 'mysql')
    expect(maxConnections).toBeLessThan((8 * 1_073_741_824) / 12_582_880)
    expect(source).toContain('{DBInstanceClassMemory/12582880}')
    expect(source).toContain('db.m5.large')
  })

  it('is a whole number that a server can have, for every class with memory enough', () => {
    for (const engine of PLAN_ENGINES) {
      for (const instanceClass of INSTANCE_CLASSES.filter((name) => !name.endsWith('micro'))) {
        const { maxConnections } = limitOfInstance(instanceClass, engine)
        expect(Number.isInteger(maxConnections) && maxConnections >= 10, `${instanceClass} ${engine}`).toBe(
          true,
        )
      }
    }
  })
})

describe('the default limit of Aurora Serverless', () => {
  it.each<[string, PlanEngine, number]>([
    ['1-1', 'postgresql', 189],
    ['1-16', 'postgresql', 3_360],
    ['0.5-16', 'postgresql', 2_000],
    ['0-4', 'postgresql', 823],
    ['16', 'postgresql', 3_360],
    ['2-64', 'postgresql', 5_000],
    ['2-256', 'postgresql', 5_000],
    ['0.5-16', 'mysql', 2_000],
    ['1-12', 'aurora-mysql', 1_000],
    ['1-128', 'mysql', 5_000],
  ])('of %s ACU on %s is %d', (acu, engine, expected) => {
    expect(limitOfServerless(acu, engine).maxConnections).toBe(expected)
  })

  it('grows with the capacity', () => {
    for (const engine of ['postgresql', 'mysql'] as const) {
      let before = 0
      for (let acu = 1; acu <= 256; acu += 0.5) {
        const { maxConnections } = limitOfServerless(`1-${acu}`, engine)
        expect(maxConnections).toBeGreaterThanOrEqual(before)
        before = maxConnections
      }
    }
  })

  it.each(['', '16-4', '0-0.5', '512', 'a lot', '1-2-3', '-4'])('refuses `%s`', (acu) => {
    expect(() => limitOfServerless(acu, 'postgresql')).toThrow('like 0.5-16')
  })

  it('is not to be had for MariaDB', () => {
    expect(() => limitOfServerless('1-4', 'mariadb')).toThrow('MariaDB')
  })
})
