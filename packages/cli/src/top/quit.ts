/** The ways out of a command that runs until somebody has seen enough: keys, signals, a closed pipe. */

import type { EventEmitter } from 'node:events'

import type { Io } from '../io.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** `q`, Ctrl-C and Ctrl-D, as a terminal sends them when it passes on every key. */
const KEYS = ['q', 'Q', '\u0003', '\u0004']

export interface Quit {
  /** Aborts when it is time to go. */
  readonly signal: AbortSignal
  /** Lets go of keyboard and signals. */
  dispose(): void
}

export function listenForQuit({ stdin, stdout }: Io): Quit {
  const quit = new AbortController()
  const leave = (): void => quit.abort()
  const onKey = (keys: Buffer): void => {
    const typed = keys.toString('latin1')
    if (KEYS.some((key) => typed.includes(key))) leave()
  }
  // `leasehold top | head` closes the pipe: there is nobody left to tell.
  const stream = stdout as Partial<EventEmitter>
  stream.on?.('error', leave)
  for (const signal of SIGNALS) process.on(signal, leave)
  const isKeyboard = stdin.isTTY && stdout.isTTY === true
  if (isKeyboard) {
    stdin.setRawMode(true)
    stdin.on('data', onKey)
    stdin.resume()
  }
  return {
    signal: quit.signal,
    dispose: () => {
      for (const signal of SIGNALS) process.off(signal, leave)
      if (!isKeyboard) return
      stdin.off('data', onKey)
      stdin.setRawMode(false)
      stdin.pause()
    },
  }
}
