// Waiting for what a server or a driver does in its own time: by looking, never by a fixed sleep.

const POLL_MS = 10
const WITHIN_MS = 10_000

/** Resolves as soon as `condition` holds; fails, saying `what` was awaited, when it does not in time. */
export async function eventually(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const startMs = performance.now()
  while (!(await condition())) {
    if (performance.now() - startMs > WITHIN_MS) throw new Error(`not within ${WITHIN_MS} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** What `work` is rejected with. */
export async function rejection(work: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  try {
    await work
  } catch (error) {
    return error as Error
  }
  throw new Error('expected a rejection')
}
