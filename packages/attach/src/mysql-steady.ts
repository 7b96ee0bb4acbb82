/**
 * A connection of `mysql2` that outlives its session. The application made it once and asks it for ever; when its
 * session has ended, or does not answer after a freeze, and held nothing, the next command goes to another session.
 */

import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'

import type { GovernedConnection, Governor } from '@leasehold/core'

import { isOurs, SessionState } from './session-state.ts'

interface Command {
  readonly sql?: unknown
  readonly query?: unknown
  readonly options?: { readonly sql?: unknown }
  readonly constructor: { readonly name: string }
}

export interface MysqlConnection extends EventEmitter {
  readonly config: {
    readonly pool?: object | null
    readonly isServer?: boolean
    readonly stream?: unknown
    readonly ssl?: unknown
    connectAttributes?: object
  }
  readonly stream: Socket
  threadId: number | null
  readonly _command: Command | null | undefined
  readonly _commands: { readonly length: number }
  readonly _fatalError: unknown
  readonly _protocolError: unknown
  addCommand(command: Command): unknown
  end(callback?: unknown): unknown
  destroy(): void
  prepare(...given: never[]): unknown
  changeUser(...given: never[]): unknown
}

/** Of the adapter: what it keeps on a connection that is governed. */
const SESSION: unique symbol = Symbol.for('leasehold.mysql.session') as never

interface Session {
  readonly governor: Governor
  readonly governed: GovernedConnection | undefined
}

const EVENTS = ['error', 'end'] as const

/** True while a connection is made that takes another's place: it is the first one that looks after it. */
let isSucceeding = false

/** @param makeAnother a connection like this one, under way */
export function steady(connection: MysqlConnection, makeAnother: () => MysqlConnection): void {
  if (!isSucceeding) new SteadyConnection(connection, makeAnother).take()
}

class SteadyConnection {
  readonly #connection: MysqlConnection
  readonly #makeAnother: () => MysqlConnection
  readonly #forwards = EVENTS.map(
    (event) => [event, (...told: unknown[]) => this.#connection.emit(event, ...told)] as const,
  )
  /** Whose session it is now: the connection's own, or another's in its place. */
  #current: MysqlConnection
  #state = new SessionState('mysql')
  /** The driver's own way to add a command; another once the connection takes none any more. */
  #add: (command: Command) => unknown
  /** Commands that wait for the answer to whether the session is still there. */
  #waiting: Command[] | undefined
  #isAsking = false
  /** The application wants no more of it. */
  #isClosed = false

  constructor(connection: MysqlConnection, makeAnother: () => MysqlConnection) {
    this.#connection = connection
    this.#current = connection
    this.#makeAnother = makeAnother
    const addCommand = connection.addCommand.bind(connection)
    this.#add = (command) => addCommand(command)
  }

  take(): void {
    const connection = this.#connection
    Object.defineProperty(connection, 'addCommand', {
      get: () => this.#addCommand,
      // The driver's way to say that it takes none any more.
      set: (refuse: (command: Command) => unknown) => {
        this.#add = (command) => Reflect.apply(refuse, connection, [command])
      },
      configurable: true,
      enumerable: false,
    })
    for (const name of ['end', 'destroy'] as const) {
      const own = connection[name]
      const value = (...given: never[]): unknown => {
        this.#isClosed = true
        const { [name]: another } = this.#current
        return Reflect.apply(this.#current === connection ? own : another, this.#current, given)
      }
      this.#put(name, value)
    }
    // A statement's number, or another user, is known to one session alone.
    for (const name of ['prepare', 'changeUser'] as const) {
      const own = connection[name]
      this.#put(name, (...given: never[]): unknown => {
        this.#state.hold()
        return Reflect.apply(own, connection, given)
      })
    }
  }

  #put(name: string, value: unknown): void {
    Object.defineProperty(this.#connection, name, {
      value,
      configurable: true,
      enumerable: false,
      writable: true,
    })
  }

  readonly #addCommand = (command: Command): unknown => {
    // Its ping is a command too, and the one that does not wait.
    if (this.#isAsking) return this.#add(command)
    if (this.#waiting !== undefined) {
      this.#waiting.push(command)
      return command
    }
    const fitness = this.#fitness()
    if (fitness === 'over') return this.#elsewhere(command)
    return fitness === 'verify' ? this.#whenAlive(command) : this.#send(command)
  }

  #send(command: Command): unknown {
    if (this.#session?.governed?.hands.quiet() === true) this.#state.settled()
    this.#state.told(sqlIn(command))
    return this.#current === this.#connection ? this.#add(command) : this.#current.addCommand(command)
  }

  #elsewhere(command: Command): unknown {
    this.#state.ended(this.#session?.governed?.hands.inTransaction() === true)
    if (this.#state.mayMove(sqlIn(command))) this.#move()
    return this.#send(command)
  }

  #whenAlive(command: Command): unknown {
    const { governor, governed } = this.#session ?? {}
    if (governor === undefined || governed === undefined) return this.#send(command)
    this.#isAsking = true
    const asked = governor.alive(governed)
    this.#isAsking = false
    this.#waiting = [command]
    void asked.then((isAlive) => {
      const waiting = this.#waiting ?? []
      this.#waiting = undefined
      if (!isAlive) this.#current.stream.destroy()
      for (const one of waiting) {
        if (!isAlive && this.#fitness() === 'over') this.#elsewhere(one)
        else this.#send(one)
      }
    })
    return command
  }

  #fitness(): 'ready' | 'verify' | 'over' {
    const current = this.#current
    const { governor, governed } = this.#session ?? {}
    if (this.#isClosed) return 'ready'
    const { stream, _fatalError: fatal, _protocolError: broken } = current
    const isOver = Boolean(fatal) || Boolean(broken) || stream.destroyed || stream.readableEnded
    // The first connect is the application's: it hears of its failure as ever.
    if (isOver && (governed !== undefined || current !== this.#connection)) return 'over'
    if (governor === undefined || governed === undefined || current._commands.length > 0) return 'ready'
    // A statement runs: whoever asks now waits behind it, and shares its fate. What takes or renews the lease may have
    // been frozen on its way, and have no answer.
    const running = current._command ? sqlIn(current._command) : undefined
    if (running !== undefined && !isOurs(running)) return 'ready'
    if (governed.hands.inTransaction()) return 'ready'
    return governed.lease.idleMs() > governor.options.pingAfterIdleMs ? 'verify' : 'ready'
  }

  get #session(): Session | undefined {
    return (this.#current as { [SESSION]?: Session })[SESSION]
  }

  #move(): void {
    const connection = this.#connection
    const before = this.#current
    isSucceeding = true
    try {
      this.#current = this.#makeAnother()
    } finally {
      isSucceeding = false
    }
    const another = this.#current
    if (before !== connection) for (const [event, forward] of this.#forwards) before.off(event, forward)
    for (const [event, forward] of this.#forwards) another.on(event, forward)
    this.#state = new SessionState('mysql')
    another.once('connect', () => {
      connection.threadId = another.threadId
    })
  }
}

/** Of a statement, prepared or not; undefined of a ping and the like. */
function sqlIn({ sql, query, options }: Command): string | undefined {
  return [sql, query, options?.sql].find((one) => typeof one === 'string')
}
