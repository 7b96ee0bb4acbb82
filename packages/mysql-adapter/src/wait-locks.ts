/**
 * How the fleet learns how long newcomers wait: named locks. A session that had to wait takes the lock of its wait
 * and of the time; any login may ask whether a lock by that name is held. Connection attributes are shown to the
 * same account from the same address only, which no two environments share, and not without performance_schema.
 */

const SHORTEST_MS = 50
const LENGTHS_A_DOUBLING = 2

/** Waits are told apart by half a doubling: about 50 ms, 71, 100, … 6.4 s. */
const WAITS_MS: readonly number[] = Array.from(
  { length: 15 },
  (_, index) => SHORTEST_MS * 2 ** (index / LENGTHS_A_DOUBLING),
)

/**
 * The server's time in units of two seconds: a wait is news for two to four. Not `now()`, which an application
 * may have set.
 */
const SERVER_TIME = 'unix_timestamp(sysdate()) div 2'

/** @param head what the fleet's locks begin with */
function nameOf(head: string, index: number, time: string): string {
  return `concat('${head}:w${index}:', ${time})`
}

/**
 * Appended to the first statement of a session that waited. Where another holds the lock already, nothing is to be added.
 * Undefined for a shorter wait than any that can be told: told as a longer one, others would wait as long out of
 * courtesy, tell that in their turn, and keep a queue alive in which nobody waits any more.
 */
export function tellWait(head: string, waitedMs: number): string | undefined {
  if (waitedMs < SHORTEST_MS) return undefined
  const index = Math.round(LENGTHS_A_DOUBLING * Math.log2(waitedMs / SHORTEST_MS))
  const inRange = Math.min(index, WAITS_MS.length - 1)
  return `@leasehold_wait = get_lock(${nameOf(head, inRange, SERVER_TIME)}, 0)`
}

/** SQL for the waits of late, as `waitsIn` reads them. */
export function askWaits(head: string): string {
  const held = WAITS_MS.map((_, index) => {
    const isHeld = ['t', 't - 1'].map((time) => `is_used_lock(${nameOf(head, index, time)})`).join(' or ')
    return `if(${isHeld}, ${index}, null)`
  })
  return `(select concat_ws(',', ${held.join(', ')}) from (select ${SERVER_TIME} as t) as clock)`
}

/** Each about as long as one or more newcomers had to wait. */
export function waitsIn(value: unknown): readonly number[] {
  if (typeof value !== 'string' || value === '') return []
  return value.split(',').flatMap((index) => WAITS_MS[Number(index)] ?? [])
}
