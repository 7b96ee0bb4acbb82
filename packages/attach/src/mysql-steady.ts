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
}

/** Of the adapter: what it keeps on a connection that is governed. */
const SESSION: unique symbol = Symbol.for('leasehold.mysql.session') as never

interface Session {
  readonly governor: Governor
  readonly governed: GovernedConnection | undefined
}

const EVENTS = ['error', 'end'] as const

/** @param makeAnother a connection like this one, under way */
export function steady(connection: MysqlConnection, makeAnother: () => MysqlConnection): void {
  const self = new SteadyConnection(connection, makeAnother)
  self.take()
}

class SteadyConnection {
  readonly #connection: MysqlConnection
  readonly #makeAnother: () => MysqlConnection
  readonly #state = new SessionState()
  /** The driver's own; another once it takes no command any more. */
  #add: (command: Command) => unknown
  /** In the connection's place, once its session is over. */
  #another: MysqlConnection | undefined
  /** Commands that wait for the answer to whether the session is still there. */
  #waiting: Command[] | undefined
  #isAsking = false
  /** The application wants no more of it. */
  #isClosed = false

  constructor(connection: MysqlConnection, makeAnother: () => MysqlConnection) {
    this.#connection = connection
    this.#makeAnother = makeAnother
    const { addCommand } = connection
    this.#add = (command) => Reflect.apply(addCommand, connection, [command])
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
        const another = this.#another
        this.#isClosed = true
        if (another === undefined) return Reflect.apply(own, connection, given)
        return Reflect.apply(another[name] as () => unknown, another, given)
      }
      Object.defineProperty(connection, name, {
        value,
        configurable: true,
        enumerable: false,
        writable: true,
      })
    }
  }

  readonly #addCommand = (command: Command): unknown => {
    if (this.#another !== undefined) return this.#another.addCommand(command)
    if (this.#waiting !== undefined) {
      this.#waiting.push(command)
      return command
    }
    const fitness = this.#fitness()
    if (fitness === 'over') return this.#elsewhere(command)
    if (fitness === 'verify') return this.#whenAlive(command)
    return this.#send(command)
  }

  #elsewhere(command: Command): unknown {
    const { governed } = this.#session ?? {}
    this.#state.ended(governed?.hands.inTransaction() === true)
    if (!this.#state.mayMove(sqlIn(command))) return this.#add(command)
    return this.#move().addCommand(command)
  }

  #whenAlive(command: Command): unknown {
    const { governor, governed } = this.#session ?? {}
    if (governor === undefined || governed === undefined) return this.#add(command)
    // Its ping is a command too, and the one that does not wait.
    this.#isAsking = true
    const asked = governor.alive(governed)
    this.#isAsking = false
    this.#waiting = [command]
    void asked.then((isAlive) => {
      const waiting = this.#waiting ?? []
      this.#waiting = undefined
      if (!isAlive) this.#connection.stream.destroy()
      for (const one of waiting) {
        if (this.#another !== undefined) this.#another.addCommand(one)
        else if (isAlive) this.#send(one)
        else this.#elsewhere(one)
      }
    })
    return command
  }

  #send(command: Command): unknown {
    this.#state.told(sqlIn(command))
    return this.#add(command)
  }

  #fitness(): 'ready' | 'verify' | 'over' {
    const connection = this.#connection
    const { governor, governed } = this.#session ?? {}
    if (governor === undefined || governed === undefined || this.#isClosed) return 'ready'
    const { stream, _fatalError: fatal, _protocolError: broken } = connection
    if (Boolean(fatal) || Boolean(broken) || stream.destroyed || stream.readableEnded) return 'over'
    if (this.#isAsking || connection._commands.length > 0) return 'ready'
    // A statement runs: whoever asks now waits behind it, and shares its fate. What takes or renews the lease may have
    // been frozen on its way, and have no answer.
    const running = connection._command ? sqlIn(connection._command) : undefined
    if (running !== undefined && !isOurs(running)) return 'ready'
    if (governed.hands.inTransaction()) return 'ready'
    return governed.lease.idleMs() > governor.options.pingAfterIdleMs ? 'verify' : 'ready'
  }

  get #session(): Session | undefined {
    return (this.#connection as { [SESSION]?: Session })[SESSION]
  }

  #move(): MysqlConnection {
    const connection = this.#connection
    const another = this.#makeAnother()
    this.#another = another
    for (const event of EVENTS) {
      another.on(event, (...told: unknown[]) => connection.emit(event, ...told))
    }
    another.once('connect', () => {
      connection.threadId = another.threadId
    })
    return another
  }
}

/** Of a statement, prepared or not; undefined of a ping and the like. */
function sqlIn({ sql, query, options }: Command): string | undefined {
  return [sql, query, options?.sql].find((one) => typeof one === 'string')
}
