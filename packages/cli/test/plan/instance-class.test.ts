import { describe, expect, it } from 'vitest'

import { INSTANCE_CLASSES, instanceSize } from '../../src/plan/instance-class.ts'

describe('an instance class', () => {
  it.each([
    ['db.t3.micro', 1, 2],
    ['db.t4g.medium', 4, 2],
    ['db.t3.2xlarge', 32, 8],
    ['db.m5.large', 8, 2],
    ['db.m6i.32xlarge', 512, 128],
    ['db.m7g.xlarge', 16, 4],
    ['db.r5.24xlarge', 768, 96],
    ['db.r6g.large', 16, 2],
    ['db.r6g.xlarge', 32, 4],
    ['db.r8g.48xlarge', 1_536, 192],
    ['db.x2g.16xlarge', 1_024, 64],
  ])('%s has %d GiB and %d processors', (instanceClass, nominalGiB, cores) => {
    expect(instanceSize(instanceClass)).toEqual({ nominalGiB, cores })
  })

  it('is known with some memory and at least two processors, for each of the list', () => {
    expect(INSTANCE_CLASSES.length).toBeGreaterThan(150)
    for (const instanceClass of INSTANCE_CLASSES) {
      const { nominalGiB, cores } = instanceSize(instanceClass)
      expect(nominalGiB, instanceClass).toBeGreaterThanOrEqual(1)
      expect(cores, instanceClass).toBeGreaterThanOrEqual(2)
    }
  })

  it.each([
    ['r6g.large', 'classes are named like db.r6g.large'],
    ['db.r99.large', 'of the families t3, t4g'],
    ['db.r6g.24xlarge', 'db.r6g has large, xlarge'],
    ['db.t3.4xlarge', 'db.t3 has micro, small'],
    ['db.r6g.constructor', 'db.r6g has large'],
  ])('is refused when nobody knows it (%s), and the remedy named', (instanceClass, remedy) => {
    expect(() => instanceSize(instanceClass)).toThrow(remedy)
    expect(() => instanceSize(instanceClass)).toThrow('--max-connections')
  })
})
