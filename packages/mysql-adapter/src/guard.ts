/**
 * Keeps a transaction whole. Where the server ends it by itself, after a deadlock or at a statement that commits,
 * whatever is still sent would run outside of it, each statement committed by itself: so nothing more is sent.
 */

import { LeaseholdError } from '@leasehold/core'

import type { DriverCommand, DriverConnection } from './driver.ts'

/**
 * - `open`: the function runs
 * - `doomed`: the server has ended the transaction
 * - `ending`: the function has ended; COMMIT or ROLLBACK is under way
 */
type State = 'open' | 'doomed' | 'ending'

export class TransactionGuard {
  readonly #connection: DriverConnection
  readonly #addCommand: DriverConnection['addCommand']
  readonly #own: { readonly addCommand: boolean; readonly release: boolean }
  readonly #guarded = (command: DriverCommand): unknown => this.#add(command)
  #state: State = 'open'
  #doom: unknown
  #letsThrough = false

  constructor(connection: DriverConnection) {
    this.#connection = connection
    this.#addCommand = connection.addCommand
    this.#own = {
      addCommand: Object.hasOwn(connection, 'addCommand'),
      release: Object.hasOwn(connection, 'release'),
    }
    connection.addCommand = this.#guarded
    if (connection.release !== undefined) connection.release = releasedInside
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Why nothing more is sent, or undefined. */
  get doom(): unknown {
    return this.#doom
  }

  /** Gives the connection its own methods back. */
  lift(): void {
    const connection = this.#connection
    // Once closed, the driver has put another in its place.
    if (connection.addCommand === this.#guarded) {
      if (this.#own.addCommand) connection.addCommand = this.#addCommand
      else Reflect.deleteProperty(connection, 'addCommand')
    }
    if (connection.release === releasedInside) Reflect.deleteProperty(connection, 'release')
  }

  /** COMMIT or ROLLBACK comes next: that the transaction ends is no surprise any more. */
  end(): void {
    this.#state = 'ending'
  }

  /** What is sent meanwhile is ours. */
  letThrough<T>(send: () => T): T {
    this.#letsThrough = true
    try {
      return send()
    } finally {
      this.#letsThrough = false
    }
  }

  /** To be called before the driver sends what waits; returns that, for `refuse`. */
  setWaitingAside(): DriverCommand[] {
    this.#state = 'doomed'
    const { _commands: waiting } = this.#connection
    const aside: DriverCommand[] = []
    for (let count = waiting.length; count > 0; count -= 1) {
      const command = waiting.shift() as DriverCommand
      if (isStatement(command)) aside.push(command)
      else waiting.push(command)
    }
    return aside
  }

  doomBy(error: unknown): void {
    this.#doom ??= error
  }

  refuse(commands: readonly DriverCommand[]): void {
    // For an error that nobody was there to hear.
    this.#doom ??= endedInside()
    for (const command of commands) refuse(command, this.#refusal())
  }

  #add(command: DriverCommand): unknown {
    if (this.#state === 'open' || this.#letsThrough || !isStatement(command)) {
      return this.#addCommand.call(this.#connection, command)
    }
    refuse(command, this.#refusal())
    return command
  }

  #refusal(): LeaseholdError {
    if (this.#state === 'ending') {
      return new LeaseholdError(
        'TRANSACTION_ABORTED',
        'the transaction of this connection has ended: await everything that runs inside it',
      )
    }
    return new LeaseholdError(
      'TRANSACTION_ABORTED',
      'the server has ended the transaction of this connection, so nothing more is sent on it: let the error ' +
        'out of the function',
      { cause: this.#doom },
    )
  }
}

/** For a transaction that ended inside its function, and not by an error. */
export function endedInside(): LeaseholdError {
  return new LeaseholdError(
    'TRANSACTION_ABORTED',
    'a statement ended the transaction before its function did, and what was done until then stays: `create`, ' +
      '`alter` and the like commit by themselves, so keep them out of transactions, and leave COMMIT and ' +
      'ROLLBACK to this one',
  )
}

export function isStatement(command: DriverCommand): boolean {
  return command.resultsetHeader !== undefined || command.prepareHeader !== undefined
}

/** Fails what was taken out of the queue before it was sent. */
export function refuse(command: DriverCommand, error: Error): void {
  // The driver does this to the second half of an `execute` whose first half has failed, and been told.
  if (Object.hasOwn(command, 'start')) return
  const { onResult } = command
  if (onResult !== undefined) {
    onResult.call(command, error)
    return
  }
  // The application has yet to listen.
  process.nextTick(() => {
    if (command.listenerCount('error') > 0) command.emit('error', error)
    command.emit('end')
  })
}

function releasedInside(): never {
  throw new Error('this connection belongs to its transaction, which gives it back: do not release it inside')
}
