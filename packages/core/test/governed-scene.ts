/** A governor with sessions of a fake server, on one manual clock; for tests that go through the governor. */

import type { GovernedConnection } from '../src/connection.ts'
import type { Env } from '../src/env.ts'
import { Governor } from '../src/governor.ts'
import type { Attempt } from '../src/open.ts'
import type { LeaseholdOptions } from '../src/options/options.ts'
import { resolveOptions } from '../src/options/resolve.ts'
import { fakeDialect } from '../src/testing/fake-dialect.ts'
import type { FakeServerOptions } from '../src/testing/fake-server-options.ts'
import { FakeServer } from '../src/testing/fake-server.ts'
import type { FakeSession } from '../src/testing/fake-session.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { ScriptedRandom } from '../src/testing/scripted-random.ts'
import { ListeningLogger } from './scene.ts'

export interface GovernedScene {
  readonly clock: ManualClock
  readonly server: FakeServer
  readonly governor: Governor
  readonly logger: ListeningLogger
  /** Opens a session as an adapter does; it is checked out. */
  open(signal?: AbortSignal): Promise<{ connection: FakeSession; governed: GovernedConnection }>
  /** Gives it back, and lets housekeeping run to its end. */
  settle(governed: GovernedConnection): Promise<void>
  /** A session of somebody else's on the same server. */
  stranger(label?: string): Promise<FakeSession>
}

export function governedScene(
  given: LeaseholdOptions & { readonly exact?: boolean } = {},
  serverOptions: FakeServerOptions = {},
  env: Env = {},
): GovernedScene {
  const { exact = true, ...options } = given
  const clock = new ManualClock()
  const logger = new ListeningLogger()
  const server = new FakeServer({ clock, slotCount: 26, ...serverOptions })
  const governor = new Governor(fakeDialect, resolveOptions({ logger, ...options }), {
    clock,
    random: new ScriptedRandom(0.5),
    env,
  })
  const connect = async (attempt: Attempt) => {
    const leaseMs = governor.asksForLease ? governor.startLeaseMs(attempt.queued) : undefined
    const label = governor.label(attempt, undefined, governor.recallTerms)
    const session = await server.connect({ label, leaseMs, signal: attempt.signal })
    const own = (): GovernedConnection | undefined =>
      [...governor.connections].find(({ hands }) => hands === session)
    const close = (): void => {
      const governed = own()
      if (governed !== undefined) governor.forget(governed)
      session.close()
    }
    session.livesIn({ idle: () => own()?.checkedOut === false, yield: close, drop: close })
    return { connection: session, hands: session, leaseMs, exact: exact && leaseMs !== undefined }
  }
  return {
    clock,
    server,
    governor,
    logger,
    open: async (signal) => {
      const opened = await governor.open(connect, signal)
      const { connection, governed } = opened
      connection.onAnswer(() => governor.answered(governed))
      connection.onEnd(() => governor.forget(governed))
      return opened
    },
    settle: async (governed) => {
      governor.checkin(governed)
      await clock.advance(0)
    },
    stranger: (label) => server.connect({ label }),
  }
}
