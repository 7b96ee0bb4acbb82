// What goes wrong while the work goes on: replies that are lost, sessions that are killed, one restart.
import type { DatabaseServer, Relay } from '@leasehold/test-databases'

export interface Trouble {
  /** Times each kind of trouble was made. */
  readonly made: { lostReplies: number; kills: number; restarts: number }
  /** Restarts the server now, and resolves when logins work. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const PAUSE_MS = 15

/** Makes trouble at random, until it is stopped. */
export function startTrouble(server: DatabaseServer, relay: Relay): Trouble {
  const made = { lostReplies: 0, kills: 0, restarts: 0 }
  let isOver = false
  let isRestarting = false

  const kill = async (): Promise<void> => {
    const sessions = await server.sessions()
    const victim = sessions[Math.floor(Math.random() * sessions.length)]
    if (victim === undefined) return
    await server.terminate(victim.id)
    made.kills += 1
  }

  const makeTrouble = async (): Promise<void> => {
    while (!isOver) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (0.5 + Math.random())))
      if (isRestarting || isOver) continue
      if (Math.random() < 0.5) {
        relay.dropReplies()
        made.lostReplies += 1
        // A restart may begin at any moment: then there is nobody to ask.
      } else await kill().catch(() => undefined)
    }
  }

  const making = makeTrouble()
  return {
    made,
    restart: async () => {
      isRestarting = true
      await server.restart()
      isRestarting = false
      made.restarts += 1
    },
    stop: async () => {
      isOver = true
      await making
    },
  }
}
