/** The governor's hands on one connected session, and what its traffic tells the governor. */

import type { GovernedConnection, Governor, Hands } from '@leasehold/core'

import { classify, OPTION_PREVENTS_STATEMENT, saysReadOnly } from './classify.ts'
import type { DriverCommand, DriverConnection, DriverPacket } from './driver.ts'
import { endedInside, TransactionGuard } from './guard.ts'
import { errnoOf, transactionFlagOf } from './packets.ts'
import { readableOf } from './readables.ts'

/** What the connection's home does for the hands on it; a standalone connection has none. */
export interface ConnectionHome {
  idle(connection: DriverConnection): boolean
  yield(connection: DriverConnection): void
  drop(connection: DriverConnection): void
}

const READ_ONLY_ERRNOS: readonly number[] = [1792, 1836]
/**
 * InnoDB rolls the whole transaction back after a deadlock, and where there is no room for its locks; after
 * a lock wait that took too long where it is configured so, and the client is not told.
 */
const LOST_RACE_ERRNOS: readonly number[] = [1205, 1206, 1213]

const SESSION: unique symbol = Symbol.for('leasehold.mysql.session') as never

interface Carrier {
  [SESSION]?: ConnectionSession
}

/** The session of a governed connection. */
export function sessionOf(connection: unknown): ConnectionSession | undefined {
  return (connection as Carrier | null | undefined)?.[SESSION]
}

export class ConnectionSession {
  readonly governor: Governor
  readonly hands: Hands
  /** Undefined until it is the application's. */
  governed: GovernedConnection | undefined
  /** The server ends transactions that sit idle. */
  limitsTransactions = false
  /** Its invocation is over: nobody may be there any more to hear what becomes of a stream on it. */
  isLeftBehind = false
  readonly #connection: DriverConnection
  #inTransaction = false
  #guard: TransactionGuard | undefined

  /** @param work what `hands` are for, beyond the session itself */
  constructor(
    connection: DriverConnection,
    governor: Governor,
    home: ConnectionHome | undefined,
    work: Pick<Hands, 'run' | 'ping' | 'leave'>,
  ) {
    this.#connection = connection
    this.governor = governor
    this.hands = {
      ...work,
      quiet: () => this.#isQuiet(),
      idle: () => !this.#inTransaction && (home?.idle(connection) ?? false),
      yield: () => home?.yield(connection),
      drop: () => home?.drop(connection),
      inTransaction: () => this.#inTransaction,
      pooled: home !== undefined,
    }
    Object.defineProperty(connection, SESSION, { value: this })
    this.#listen()
  }

  /** From now on the connection tells its governor what the server says, whoever asks it. */
  watch(governed: GovernedConnection): void {
    this.governed = governed
    // Before the driver reads the answer and, it being the last of its query, releases the connection.
    this.#connection.stream.prependListener('data', () => this.governor.answered(governed))
  }

  get guard(): TransactionGuard | undefined {
    return this.#guard
  }

  /** A transaction of ours has begun. */
  beginGuard(): TransactionGuard {
    this.#guard = new TransactionGuard(this.#connection)
    return this.#guard
  }

  /** It has ended. */
  liftGuard(): void {
    this.#guard?.lift()
    this.#guard = undefined
  }

  #isQuiet(): boolean {
    const { _command: running, _commands: waiting } = this.#connection
    if (running || waiting.length > 0 || this.#guard?.isOpen === false) return false
    // A ping would only defeat the limit.
    return !(this.limitsTransactions && this.#inTransaction)
  }

  #listen(): void {
    const connection = this.#connection
    const { handlePacket, _notifyError: notifyError, _addCommandClosedState: refuse } = connection
    // Every style of use (callback, promise, stream, execute) passes here.
    connection.handlePacket = (packet) => {
      // A paused connection gets it again.
      const aside = packet === undefined || connection._paused ? undefined : this.#read(packet)
      handlePacket.call(connection, packet)
      if (aside !== undefined) this.#guard?.refuse(aside)
    }
    connection._notifyError = (error) => {
      // One error for all of them: what waited was not sent, but what ran may have.
      if (connection._command && !connection._fatalError) this.#explainLoss(error)
      const streams = streamsOn(connection)
      notifyError.call(connection, error)
      for (const stream of streams) this.#tell(stream, error)
    }
    connection._addCommandClosedState = (command) => {
      onErrorOf(command, (error) => this.#explainLoss(error))
      refuse.call(connection, command)
    }
  }

  #tell(stream: DriverCommand, error: unknown): void {
    // Unheard it would end the process.
    if (this.isLeftBehind) readableOf(stream)?.on('error', () => {})
    stream.emit('error', error)
  }

  /** Returns what must not be sent any more, where the server has ended a transaction of ours. */
  #read(packet: DriverPacket): DriverCommand[] | undefined {
    const { _command: command } = this.#connection
    const errno = errnoOf(packet)
    if (errno !== undefined) return this.#readError(packet, errno, command)
    const inTransaction = transactionFlagOf(packet, command)
    if (inTransaction === undefined) return undefined
    this.#inTransaction = inTransaction
    const guard = this.#guard
    if (inTransaction || guard?.isOpen !== true) return undefined
    guard.doomBy(endedInside())
    return guard.setWaitingAside()
  }

  #readError(
    packet: DriverPacket,
    errno: number,
    command: DriverCommand | null,
  ): DriverCommand[] | undefined {
    if (isReadOnly(packet, errno)) {
      this.#evict()
      return undefined
    }
    if (classify({ errno }) === 'lost') {
      if (!command) return undefined
      if (this.governed !== undefined) this.governed.spoilt = true
      // The server's last word comes unasked; the driver would print that it is out of order.
      this.#connection.sequenceId = packet.sequenceId
      const isApplications = this.#isApplications
      onErrorOf(command, (error) => this.#explainLoss(error, isApplications))
      return undefined
    }
    if (!LOST_RACE_ERRNOS.includes(errno)) return undefined
    if (errno !== 1205) this.#inTransaction = false
    const guard = this.#guard
    if (guard?.isOpen !== true || !command) return undefined
    onErrorOf(command, (error) => guard.doomBy(error))
    return guard.setWaitingAside()
  }

  #evict(): void {
    if (this.governed === undefined || this.governed.spoilt) return
    this.governed.spoilt = true
    this.governor.observations.turnedReadOnly(this.governed)
  }

  /** Whether what is on the connection now is the application's: between two requests it is ours. */
  get #isApplications(): boolean {
    return this.governed?.checkedOut === true
  }

  #explainLoss(error: unknown, isApplications: boolean = this.#isApplications): void {
    this.governor.statements.explainLoss(error, this.#connection, isApplications)
  }
}

/** An error packet is 0xff, the errno in two bytes, then the text. */
function isReadOnly({ buffer, offset, end }: DriverPacket, errno: number): boolean {
  if (errno === OPTION_PREVENTS_STATEMENT) return saysReadOnly(buffer.toString('latin1', offset + 3, end))
  return READ_ONLY_ERRNOS.includes(errno)
}

/** Hears of the command's error before the application does. */
function onErrorOf(command: DriverCommand, hear: (error: unknown) => void): void {
  const { onResult } = command
  if (onResult === undefined) {
    if (command.listenerCount('error') > 0) command.prependOnceListener('error', hear)
    return
  }
  command.onResult = (error, ...answer) => {
    if (error) hear(error)
    onResult.call(command, error, ...answer)
  }
}

/** What the driver would leave waiting for ever: it tells the loss of a connection to callbacks alone. */
function streamsOn({ _command: running, _commands: waiting }: DriverConnection): DriverCommand[] {
  const commands = running ? [running] : []
  for (let place = 0; place < waiting.length; place += 1) commands.push(waiting.get(place) as DriverCommand)
  return commands.filter((command) => command.onResult === undefined && command.listenerCount('error') > 0)
}
