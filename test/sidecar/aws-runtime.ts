// Worker threads are the business of AWS's own runtime client: its tests are skipped, in sight, where it is not built.
import { deployFunction } from '@leasehold/lambda-emulator'
import { describe } from 'vitest'

const { runtime } = deployFunction({
  name: 'probe',
  taskRoot: import.meta.dirname,
  handler: 'functions/asks.handler',
})

export const describeOnAws: (what: string, cases: () => void) => void = describe.skipIf(runtime !== 'aws')
