/** Suites that need a layer at `/opt`. */

import { describe, it } from 'vitest'

import { optProblem } from '../lambda/src/index.ts'

/**
 * Describes what needs a layer at `/opt`. Where nothing can be mounted the cases are reported as skipped, with the
 * reason; they fail instead where `LEASEHOLD_REQUIRE` (names, separated by commas) has `/opt`.
 */
export function describeAtOpt(what: string, describeCases: () => void): void {
  const problem = optProblem()
  const isRequired = (process.env['LEASEHOLD_REQUIRE'] ?? '').split(',').includes('/opt')
  if (problem === undefined || isRequired) {
    describe(what, describeCases)
    return
  }
  describe.skipIf(true)(`${what}, which can't be mounted on this machine: ${problem}`, () => {
    it('runs', () => {})
  })
}
