// One session as the server has it.

export class Session {
  readonly id: number
  readonly openedMs: number
  /** What its label says; 0 where it did not have to wait. */
  readonly waitedMs: number
  open = true
  /** The server is at a statement of it. */
  busy = false
  idleSinceMs: number
  /** The server ends the session when it has been idle for so long; infinity: never. */
  leaseMs: number
  /** When the server will look at it next. */
  lookAtMs: number = Number.POSITIVE_INFINITY
  /** It counts among those who lately had to wait. */
  isEvidence = false
  /** Told when the server ended it by its lease. */
  onLapse: (() => void) | undefined

  constructor(id: number, nowMs: number, leaseMs: number, waitedMs: number) {
    this.id = id
    this.openedMs = nowMs
    this.idleSinceMs = nowMs
    this.leaseMs = leaseMs
    this.waitedMs = waitedMs
  }
}
