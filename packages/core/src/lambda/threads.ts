/** What the main thread of an environment and its worker threads tell one another: that it ends, and that they have left. */

import { BroadcastChannel, getEnvironmentData, setEnvironmentData } from 'node:worker_threads'

const CHANNEL = 'leasehold.farewell.1'
const REGISTRATION = 'leasehold.registration.1'

export type Told =
  /** By a worker: it has sessions to close, or will have. */
  | { readonly joined: number }
  /** By the main thread. */
  | { readonly leave: { readonly sparesUsed: boolean } }
  /** By a worker: it has closed them. */
  | { readonly left: number }

/** Where the main thread is with its registration as an extension. */
const UNDER_WAY = 0
const REGISTERED = 1
const FAILED = 2

/** Opens the channel; it does not keep its thread alive. */
export function openChannel(hear: (told: Told) => void): (told: Told) => void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.addEventListener('message', (message) => hear((message as unknown as { readonly data: Told }).data))
  channel.unref()
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is no window
  return (told) => channel.postMessage(told)
}

/** The main thread's word, in memory that all threads see; before workers are started. */
export function announceRegistration(): (isRegistered: boolean) => void {
  const state = new Int32Array(new SharedArrayBuffer(4))
  setEnvironmentData(REGISTRATION, state)
  return (isRegistered) => {
    Atomics.store(state, 0, isRegistered ? REGISTERED : FAILED)
    Atomics.notify(state, 0)
  }
}

/** Whether the main thread is registered; undefined where it has not loaded this. */
export function registration(): boolean | undefined {
  const state = getEnvironmentData(REGISTRATION)
  return state instanceof Int32Array ? Atomics.load(state, 0) === REGISTERED : undefined
}

/** Stops this thread until the main thread's registration is settled: it closes at the first thread's first question. */
export function awaitRegistration(limitMs: number): void {
  const state = getEnvironmentData(REGISTRATION)
  if (state instanceof Int32Array) Atomics.wait(state, 0, UNDER_WAY, limitMs)
}
