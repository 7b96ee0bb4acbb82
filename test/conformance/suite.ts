// Runs every conformance case on one engine.
import { availability } from '@leasehold/test-databases'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { CASES } from './cases.ts'
import type { Subject } from './subject.ts'

/** @param start starts the engine; its failure fails the suite, it never skips it */
export function conformance(name: string, start: () => Promise<Subject>): void {
  describe(name, () => {
    let subject: Subject
    const uncaught: unknown[] = []
    const onUncaught = (error: unknown): void => {
      uncaught.push(error)
    }

    beforeAll(async () => {
      process.on('uncaughtExceptionMonitor', onUncaught)
      subject = await start()
    })
    afterEach(async () => {
      await subject.reset()
      expect(uncaught).toEqual([])
    })
    afterAll(async () => {
      process.off('uncaughtExceptionMonitor', onUncaught)
      await (subject as Subject | undefined)?.dispose()
    })

    for (const [group, cases] of Object.entries(CASES)) {
      describe(group, () => {
        for (const { name: sentence, run } of cases) it(sentence, () => run(subject))
      })
    }
  })
}

/**
 * For servers that a plain machine may lack. Absent, the suite is reported as skipped with the remedy in
 * its name; it fails instead where `LEASEHOLD_REQUIRE` (names, separated by commas) demands the server.
 */
export async function whereInstalled(name: string, start: () => Promise<Subject>): Promise<void> {
  const known = (await availability()).find((server) => server.name === name)
  if (known === undefined) throw new Error(`no server is called ${name}`)
  const required = (process.env['LEASEHOLD_REQUIRE'] ?? '').split(',').includes(name)
  if (known.available || required) {
    conformance(name, start)
    return
  }
  describe.skipIf(true)(`${name} is not on this machine: ${known.remedy}`, () => {
    it('conforms', () => {})
  })
}
