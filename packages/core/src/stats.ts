/** Counts of what happened to this pool's connections since it was made. Adding one is all the hot path pays. */

export interface Stats {
  /** Connections opened and handed over. */
  opened: number
  /** Checkouts served by a connection that was already open. */
  reused: number
  /** Idle connections dropped because their lease had run out, or the server had ended them by it. */
  lapsed: number
  /** Idle connections found dead for any other reason, and replaced before use. */
  lost: number
  /** Connections closed after a response so that another environment could have the slot. */
  yielded: number
  /** Sessions of the fleet's that this pool ended because slots were short: recalled. */
  reaped: number
  /** Times the server would not let sessions be recalled. */
  recallRefused: number
  /** Connections dropped because the server turned read-only. */
  evicted: number
  /** Pings before a connection was handed out. */
  pinged: number
  /** Leases renewed while the application held a connection without using it. */
  renewed: number
  /** Censuses taken. */
  censuses: number
  /** Connect attempts, successful ones included. */
  attempts: number
  /** Connect attempts refused because no slot was free. */
  refused: number
  /** Connect attempts whose credential the server refused, where another could be tried. */
  denied: number
  /** Attempts to connect that followed one refused for want of a slot. */
  retriedSaturated: number
  /** Attempts that followed one for which the server, or the way to it, was not there yet. */
  retriedStarting: number
  /** Attempts that followed one whose connection broke before it was established. */
  retriedLost: number
  /** Connects or waits given up at their deadline. */
  gaveUp: number
  /** Connects that failed with an error that no further attempt would have mended. */
  failed: number
  /** Times a server or proxy would not hold a lease, so that this side holds it alone. */
  leaseRefused: number
  /** Times the server would not answer a census. */
  censusRefused: number
  /** Statements sent again because that was safe: not read, or allowed to run twice. */
  replayed: number
  /** Transactions run again, whole, after they lost a race with another. */
  rerun: number
  /** Statements and commits that were cut off so that nobody knows whether they took effect. */
  ambiguous: number
  /** Statements cancelled at their limit, or because their signal aborted. */
  cancelled: number
  /** Connections or transactions left over from an earlier invocation, and ended. */
  reclaimed: number
}

export function newStats(): Stats {
  return {
    opened: 0,
    reused: 0,
    lapsed: 0,
    lost: 0,
    yielded: 0,
    reaped: 0,
    recallRefused: 0,
    evicted: 0,
    pinged: 0,
    renewed: 0,
    censuses: 0,
    attempts: 0,
    refused: 0,
    denied: 0,
    retriedSaturated: 0,
    retriedStarting: 0,
    retriedLost: 0,
    gaveUp: 0,
    failed: 0,
    leaseRefused: 0,
    censusRefused: 0,
    replayed: 0,
    rerun: 0,
    ambiguous: 0,
    cancelled: 0,
    reclaimed: 0,
  }
}
