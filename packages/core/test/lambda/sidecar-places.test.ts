import { afterEach, describe, expect, it } from 'vitest'

import { sidecarPlaces } from '../../src/lambda/index.ts'
import { processWide } from '../../src/process-wide.ts'

afterEach(() => {
  processWide().places = undefined
})

describe("the environment's places", () => {
  it.each([0, -1, 1.5, 10_001, '8'])('are a whole number of connections, not %s', (connections) => {
    expect(() => sidecarPlaces({ connections: connections as never })).toThrow(
      '`connections` must be a whole number from 1 to 10000',
    )
  })

  it('are nobody to ask for elsewhere than on Managed Instances', () => {
    expect(sidecarPlaces({ connections: 8 })).toBe(false)
    expect(processWide().places).toBeUndefined()
  })
})
