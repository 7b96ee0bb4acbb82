/** Where a connection was taken: for `traceCheckouts` alone, as it costs a stack. */

const MOST_FRAMES = 6

/**
 * The callers of the first of `methods` that is being called, nearest first, in one line.
 *
 * @param of what has the methods
 * @param ofDriver matches frames inside the driver, which say nothing
 */
export function callersOf(of: object, methods: readonly string[], ofDriver?: RegExp): string {
  for (const method of methods) {
    const trace: { stack?: string } = {}
    Error.captureStackTrace(trace, (of as Record<string, () => unknown>)[method])
    // Empty where it is not being called.
    const frames = (trace.stack ?? '').split('\n').slice(1)
    const told = frames.map((frame) => frame.trim()).filter((frame) => ofDriver?.test(frame) !== true)
    if (told.length > 0) return told.slice(0, MOST_FRAMES).join(' ')
  }
  return 'at an unknown place'
}
