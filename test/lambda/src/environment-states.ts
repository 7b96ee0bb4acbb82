// Which state of an environment may follow which; an illegal move is a bug of the emulator's own.

import type { EnvironmentState } from './api.ts'

/** Every state leads to `vanished` and `ended`: an environment may be taken away at any time. */
const moves: Readonly<Record<EnvironmentState, readonly EnvironmentState[]>> = {
  starting: ['idle', 'frozen', 'busy', 'ending', 'vanished', 'ended'],
  idle: ['busy', 'ending', 'vanished', 'ended'],
  busy: ['idle', 'draining', 'ending', 'vanished', 'ended'],
  draining: ['busy', 'frozen', 'ending', 'vanished', 'ended'],
  frozen: ['busy', 'ending', 'vanished', 'ended'],
  ending: ['vanished', 'ended'],
  vanished: ['ended'],
  ended: [],
}

const settled: ReadonlySet<EnvironmentState> = new Set(['idle', 'frozen', 'vanished', 'ended'])
const gone: ReadonlySet<EnvironmentState> = new Set(['ending', 'vanished', 'ended'])

export function mayFollow(from: EnvironmentState, to: EnvironmentState): boolean {
  return moves[from].includes(to)
}

/** Whether nothing is going on in it. */
export function isSettled(state: EnvironmentState): boolean {
  return settled.has(state)
}

/** What reserved concurrency does not count. */
export function isGone(state: EnvironmentState): boolean {
  return gone.has(state)
}
