// Runs every conformance case on one engine.
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
