/** What the application reads streamed rows from: the driver's command does not say. */

import type { Readable } from 'node:stream'

import type { DriverCommand } from './driver.ts'

const readables = new WeakMap<DriverCommand, Readable>()

/** Undefined where the application has not asked for one. */
export function readableOf(command: DriverCommand): Readable | undefined {
  return readables.get(command)
}

/** To be called as soon as there is a command, before the application has it. */
export function rememberReadable<T>(command: T): T {
  const streamed = command as Partial<DriverCommand & { stream(options?: object): Readable }>
  const { stream } = streamed
  if (typeof stream !== 'function' || Object.hasOwn(streamed, 'stream')) return command
  streamed.stream = (options) => {
    const readable = stream.call(streamed, options)
    readables.set(streamed as DriverCommand, readable)
    return readable
  }
  return command
}
