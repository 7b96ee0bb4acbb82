/** PURE but for what it asks: the edge between what holds and what does not, with few questions. */

/** Nearer is not asked for: a twentieth. */
const PRECISION = 20

export interface Edge {
  /** The greatest number that was seen to hold; 0 where none does. */
  readonly holds: number
  /** The least that was seen not to; undefined where `most` holds. */
  readonly fails: number | undefined
}

/**
 * Looks for the greatest number from `least` to `most` for which `holds`, beginning at `first`. Takes for granted
 * that what holds for a number holds for a smaller one.
 */
export async function edgeOf(
  { least, first, most }: { readonly least: number; readonly first: number; readonly most: number },
  holds: (value: number) => Promise<boolean>,
): Promise<Edge> {
  let good = 0
  let bad: number | undefined
  let next = Math.max(least, Math.min(first, most))
  for (;;) {
    if (await holds(next)) good = next
    else bad = next
    if (good === most || bad === least) return { holds: good, fails: bad }
    if (bad === undefined) next = Math.min(most, Math.ceil(good * 1.6))
    else if (good === 0) next = Math.max(least, Math.floor(bad / 2))
    else if (bad - good <= Math.max(1, good / PRECISION)) return { holds: good, fails: bad }
    else next = Math.floor((good + bad) / 2)
  }
}
