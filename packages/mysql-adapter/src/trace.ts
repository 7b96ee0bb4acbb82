/** Where a connection was taken: for `traceCheckouts` alone, as it costs a stack. */

const MOST_FRAMES = 6

/** The callers of the first of `callees` that is being called, nearest first, in one line. */
export function callersOf(callees: readonly ((...args: never[]) => unknown)[]): string {
  for (const callee of callees) {
    const trace: { stack?: string } = {}
    Error.captureStackTrace(trace, callee)
    // Empty where it is not being called.
    const frames = (trace.stack ?? '')
      .split('\n')
      .slice(1)
      .map((frame) => frame.trim())
      .filter((frame) => !/[\\/]mysql2[^\\/]*[\\/]lib[\\/]/.test(frame))
    if (frames.length > 0) return frames.slice(0, MOST_FRAMES).join(' ')
  }
  return 'at an unknown place'
}
