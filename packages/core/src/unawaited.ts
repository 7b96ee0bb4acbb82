/** Calls functions of the application's that only listen: what comes of them goes no further. */

/** Neither what `call` throws nor what it rejects with later reaches anybody but `failed`. Awaits nothing. */
export function unawaited(call: () => unknown, failed: () => void = ignore): void {
  try {
    const answer = call()
    // An async function: not awaited, and not an unhandled rejection either.
    if (answer instanceof Promise) answer.catch(failed)
  } catch {
    failed()
  }
}

function ignore(): void {}
