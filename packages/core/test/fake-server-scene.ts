/** A fake server on a manual clock; for tests of the fake itself. */

import { resolveOptions } from '../src/options/resolve.ts'
import { leaseLadder, type LeaseStep } from '../src/policy.ts'
import type { FakeServerOptions } from '../src/testing/fake-server-options.ts'
import { FakeServer } from '../src/testing/fake-server.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'

export const ladder: readonly LeaseStep[] = leaseLadder(resolveOptions({}))

export function start(options: FakeServerOptions = {}): { clock: ManualClock; server: FakeServer } {
  const clock = new ManualClock()
  return { clock, server: new FakeServer({ clock, slotCount: 3, ...options }) }
}
