// The real fleet that the simulated one is held against: on the packages as they are shipped. To compile their sources
// in each of 60 environments would be the larger part of a short run.
import type { LambdaFunction } from '@leasehold/lambda-emulator'
import type { DatabaseServer } from '@leasehold/test-databases'

import { deployFleet } from '../frozen/fleet.ts'

export function deployBuilt(name: string, server: DatabaseServer, options: object = {}): LambdaFunction {
  return deployFleet(name, server, options, [])
}
