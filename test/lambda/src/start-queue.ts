// Starts only a few processes at a time: sixty at once on two cores would all miss their Init limit.

import { availableParallelism } from 'node:os'

/** An Init that waits for something else (a database, say) must not hold the others up for longer. */
const placeHeldAtMostMs = 1_000

const places = Math.max(4, availableParallelism())
const waiting: (() => void)[] = []
let taken = 0

/** Waits for a place; the function it resolves with gives the place back and may be called twice. */
export async function placeToStart(): Promise<() => void> {
  if (taken >= places) await new Promise<void>((resolve) => waiting.push(resolve))
  else taken += 1
  let held = true
  const leave = (): void => {
    if (!held) return
    held = false
    clearTimeout(timer)
    const next = waiting.shift()
    if (next === undefined) taken -= 1
    else next()
  }
  const timer = setTimeout(leave, placeHeldAtMostMs)
  return leave
}
