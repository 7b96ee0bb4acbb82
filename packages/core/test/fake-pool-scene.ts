/** A fake pool on a fake server and a manual clock; for tests of the fake itself. */

import { FakePool, type FakePoolOptions } from '../src/testing/fake-pool.ts'
import type { FakeServerOptions } from '../src/testing/fake-server-options.ts'
import { FakeServer } from '../src/testing/fake-server.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { ScriptedRandom } from '../src/testing/scripted-random.ts'
import { ListeningLogger } from './scene.ts'

export interface PoolScene {
  readonly clock: ManualClock
  readonly server: FakeServer
  readonly pool: FakePool
  readonly logger: ListeningLogger
  /** Another environment's pool on the same server. */
  environment(options?: FakePoolOptions): FakePool
}

export function start(options: FakePoolOptions = {}, serverOptions: FakeServerOptions = {}): PoolScene {
  const clock = new ManualClock()
  const logger = new ListeningLogger()
  const server = new FakeServer({ clock, slotCount: 10, ...serverOptions })
  const environment = (given: FakePoolOptions = {}): FakePool =>
    new FakePool(
      server,
      { logger, ...options, ...given },
      { clock, random: new ScriptedRandom(0.5), env: {} },
    )
  return { clock, server, logger, pool: environment(), environment }
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
