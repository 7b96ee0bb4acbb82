// What every library must be able to do on a governed pool, asked in the library's own words.
import type { Target } from '../server.ts'

export interface LibraryInUse {
  /** The server's id of the session that answered one query of the library. */
  sessionId(): Promise<number>
  /** Adds a row to `notes` in a transaction of the library, and rolls it back if asked to. */
  addNote(text: string, outcome: 'commit' | 'rollback'): Promise<void>
  /** Reads all notes as a stream. */
  readonly stream?: () => Promise<readonly string[]>
  end(): Promise<void>
}

export interface Library {
  readonly name: string
  /** It has a stream. */
  readonly streams?: true
  open(target: Target): Promise<LibraryInUse> | LibraryInUse
}

/** Thrown in a transaction to have it rolled back. */
class Undo extends Error {}

/** Waits for a transaction that may have been undone on purpose. */
export async function settle(transaction: Promise<unknown>): Promise<void> {
  try {
    await transaction
  } catch (error) {
    if (!(error instanceof Undo)) throw error
  }
}

export function undoIf(outcome: 'commit' | 'rollback'): void {
  if (outcome === 'rollback') throw new Undo('undone on purpose')
}

/** Ends once, however often it is asked. */
export function endOnce(end: () => Promise<unknown>): () => Promise<void> {
  let ended: Promise<unknown> | undefined
  return async () => void (await (ended ??= end()))
}
