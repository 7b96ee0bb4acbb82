// One server for one file of tests: started before them, ended after them, and watched for what no pool may do.
import type { DatabaseServer, Login } from '@leasehold/test-databases'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'

import { eventually } from './eventually.ts'

export interface Target extends Login {
  readonly host: string
  readonly port: number
  readonly database: string
}

export interface ServerUnderTest {
  readonly server: DatabaseServer
  /** Where the server is, and its ordinary login. */
  readonly target: Target
  /** Takes every slot with sessions that nobody governs; the result frees `count` of them, or all. */
  fill(): Promise<(count?: number) => Promise<void>>
}

/** A session that nobody governs, or undefined when the server refuses one more. */
export type OpenBare = (target: Target) => Promise<{ end(): Promise<void> } | undefined>

/** To be called where the tests of a file are described. */
export function serverUnderTest(start: () => Promise<DatabaseServer>, openBare: OpenBare): ServerUnderTest {
  let started: DatabaseServer | undefined
  const bare: { end(): Promise<void> }[] = []
  const uncaught: unknown[] = []
  const onUncaught = (error: unknown): void => {
    uncaught.push(error)
  }
  const serverOf = (): DatabaseServer => {
    if (started === undefined) throw new Error('the server is started before the tests, not before')
    return started
  }
  const targetOf = (): Target => {
    const { host, port, database, login } = serverOf()
    return { host, port, database, ...login }
  }
  const free = async (count: number = bare.length): Promise<void> => {
    await Promise.all(bare.splice(0, count).map((session) => session.end()))
  }

  beforeAll(async () => {
    process.on('uncaughtExceptionMonitor', onUncaught)
    started = await start()
  })
  afterEach(async () => {
    await free()
    const server = serverOf()
    // Again and again: a pooler in between opens another for a client that still asks.
    await eventually('no session is left', async () => {
      const sessions = await server.sessions()
      for (const { id } of sessions) await server.terminate(id)
      return sessions.length === 0
    })
    expect(uncaught.splice(0)).toEqual([])
  })
  afterAll(async () => {
    process.off('uncaughtExceptionMonitor', onUncaught)
    await started?.dispose()
  })

  return {
    get server() {
      return serverOf()
    },
    get target() {
      return targetOf()
    },
    fill: async () => {
      for (;;) {
        const session = await openBare(targetOf())
        if (session === undefined) return free
        bare.push(session)
      }
    },
  }
}
