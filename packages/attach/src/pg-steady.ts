/**
 * A client of `pg` that outlives its session. The application connected it once and asks it for ever; when its session
 * has ended, or does not answer after a freeze, and held nothing, the next statement goes to another session.
 */

import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'

import type { GovernedConnection, Governor } from '@leasehold/core'

import type { Method, Methods } from './graft.ts'
import { SessionState } from './session-state.ts'

export interface PgClient extends EventEmitter {
  connection: {
    readonly stream: Socket
    /** Texts of prepared statements, by name. */
    readonly parsedStatements: Readonly<Record<string, string>>
    _keepAlive?: unknown
    _keepAliveInitialDelayMillis?: unknown
  }
  readonly connectionParameters: Readonly<Record<string, unknown>>
  readonly password: unknown
  readonly ssl: unknown
  readonly enableChannelBinding?: unknown
  readonly pipeline?: unknown
  readonly scramMaxIterations?: unknown
  readonly governed?: GovernedConnection
  processID: unknown
  secretKey: unknown
  _types: unknown
  _Promise: PromiseConstructor
  _connectionTimeoutMillis?: number
  _connected: boolean
  _ending: boolean
  _queryable: boolean
  readonly readyForQuery?: boolean
  /** Without their first character before pg 8.17, where newer ones warn. */
  readonly _activeQuery?: { readonly text?: string } | null
  readonly activeQuery?: { readonly text?: string } | null
  readonly _queryQueue?: readonly unknown[]
  readonly queryQueue?: readonly unknown[]
  /** With `pipeline`: sent, and behind what the server is answering. */
  readonly _sentQueryQueue?: readonly unknown[]
  readonly _txStatus?: unknown
  connect(): Promise<unknown>
  query(config: unknown, values?: unknown, callback?: unknown): unknown
  end(callback?: unknown): unknown
}

const GOVERNOR: unique symbol = Symbol.for('leasehold.pg.governor') as never
/** What a client tells its listeners of by itself. */
const EVENTS = ['notification', 'notice', 'error', 'end', 'drain'] as const

/** Clients that took another's place: it is the first one that looks after them. */
const successors = new WeakSet<object>()

/**
 * The methods of a client from now on.
 *
 * @param governed those of a governed client
 * @param makeAnother a client like this one, not connected
 */
export function steady(client: PgClient, governed: Methods, makeAnother: () => PgClient): Methods {
  if (successors.has(client)) return governed
  const self = new SteadyClient(client, governed, makeAnother)
  return Object.assign(Object.create(governed) as Record<string, unknown>, {
    query: (...asked: [unknown, unknown, unknown]) => self.query(...asked),
    end: (callback?: unknown) => self.end(callback),
    getTransactionStatus: () => self.transactionStatus,
  })
}

type Asked = readonly [config: unknown, values?: unknown, callback?: unknown]

class SteadyClient {
  readonly #client: PgClient
  readonly #governed: Methods
  readonly #makeAnother: () => PgClient
  readonly #forwards = EVENTS.map(
    (event) => [event, (...told: unknown[]) => this.#client.emit(event, ...told)] as const,
  )
  /** Whose session it is now: the client's own, or another's in its place. */
  #current: PgClient
  #state = new SessionState('postgresql')
  /** Of statements that sessions before prepared, by name. */
  readonly #texts = new Map<string, string>()
  /** Asks whether the session is still there; statements wait for it in their order. */
  #asking: Promise<boolean> | undefined

  constructor(client: PgClient, governed: Methods, makeAnother: () => PgClient) {
    this.#client = client
    this.#current = client
    this.#governed = governed
    this.#makeAnother = makeAnother
  }

  query(...asked: Asked): unknown {
    if (this.#asking !== undefined) return this.#later(this.#asking, asked)
    const fitness = this.#fitness()
    if (fitness === 'ready') return this.#send(asked)
    if (fitness === 'over') return this.#elsewhere(asked)
    this.#asking = this.#isAlive().then((isAlive) => {
      if (!isAlive) this.#current.connection.stream.destroy()
      return isAlive
    })
    return this.#later(this.#asking, asked)
  }

  end(callback?: unknown): unknown {
    if (this.#current !== this.#client) return this.#current.end(callback)
    return Reflect.apply(this.#governed['end'] as Method, this.#client, [callback] as never[])
  }

  get transactionStatus(): unknown {
    return this.#current._txStatus ?? null
  }

  #send(asked: Asked): unknown {
    const [config, values, callback] = asked
    if (this.#current.governed?.hands.quiet() === true) this.#state.settled()
    const sql = sqlIn(config)
    this.#state.told(sql)
    if (sql === undefined && isSubmittable(config)) this.#state.hold()
    if (this.#current !== this.#client) return this.#current.query(this.#withText(config), values, callback)
    return Reflect.apply(this.#governed['query'] as Method, this.#client, [...asked] as never[])
  }

  /** A name alone would prepare an empty statement on a session that has not heard of it. */
  #withText(config: unknown): unknown {
    const { name, text } = Object(config) as { name?: unknown; text?: unknown }
    if (typeof name !== 'string' || typeof text === 'string' || isSubmittable(config)) return config
    const known = this.#texts.get(name)
    return known === undefined ? config : { ...(config as object), text: known }
  }

  #elsewhere(asked: Asked): unknown {
    this.#state.ended(this.#current.governed?.hands.inTransaction() === true)
    if (this.#state.mayMove(sqlIn(asked[0]))) this.#move()
    return this.#send(asked)
  }

  #fitness(): 'ready' | 'verify' | 'over' {
    const { connection, governed, readyForQuery, _connected, _ending, _queryable } = this.#current
    if (_ending || (this.#current === this.#client && governed === undefined)) return 'ready'
    if (!_queryable || (_connected && connection.stream.destroyed)) return 'over'
    if (governed === undefined || !_connected) return 'ready'
    // A statement runs: whoever asks now waits behind it, and shares its fate.
    if ((readyForQuery !== true && !this.#isRenewing()) || governed.hands.inTransaction()) return 'ready'
    const { options } = this.#governor
    return governed.lease.idleMs() > options.pingAfterIdleMs ? 'verify' : 'ready'
  }

  /**
   * Whether all that runs is the empty statement that renews the lease: sent at thaw, it may have no answer. Or nothing,
   * in the moment between the server's last word and the end of the session.
   */
  #isRenewing(): boolean {
    const client = this.#current
    const running = '_activeQuery' in client ? client._activeQuery : client.activeQuery
    const waiting = client._queryQueue ?? client.queryQueue ?? []
    const isOurs = running === null || running === undefined || running.text === ''
    return isOurs && waiting.length === 0 && (client._sentQueryQueue ?? []).length === 0
  }

  async #isAlive(): Promise<boolean> {
    const { governed } = this.#current
    return governed !== undefined && (await this.#governor.alive(governed))
  }

  get #governor(): Governor {
    return (this.#current as unknown as { readonly [GOVERNOR]: Governor })[GOVERNOR]
  }

  #move(): void {
    const client = this.#client
    const before = this.#current
    const another = this.#makeAnother()
    successors.add(another)
    for (const [name, text] of Object.entries(before.connection.parsedStatements)) this.#texts.set(name, text)
    if (before !== client) for (const [event, forward] of this.#forwards) before.off(event, forward)
    for (const [event, forward] of this.#forwards) another.on(event, forward)
    this.#current = another
    this.#state = new SessionState('postgresql')
    // What waits for the connection hears of its failure itself.
    another.connect().then(() => {
      client.processID = another.processID
      client.secretKey = another.secretKey
    }, ignore)
  }

  /** In whichever style it was asked for. */
  #later(known: Promise<boolean>, asked: Asked): unknown {
    const [config, values, callback] = asked
    const { callback: own } = Object(config) as { callback?: unknown }
    const submits = isSubmittable(config)
    const answered = known.then((isAlive) => {
      // Not before the first of them is on its way: what is asked meanwhile stays behind it.
      if (this.#asking === known) this.#asking = undefined
      const isOver = !isAlive && this.#fitness() === 'over'
      return isOver ? this.#elsewhere(asked) : this.#send(asked)
    })
    const done = [callback, values, own].find((one) => typeof one === 'function')
    if (submits || done !== undefined) {
      // What the driver would have thrown at once.
      answered.catch((error: unknown) => (done as ((error: unknown) => void) | undefined)?.(error))
      return submits ? config : undefined
    }
    const { _Promise: PromiseClass } = this.#client
    return new PromiseClass((resolve, reject) => {
      answered.then(resolve, reject)
    })
  }
}

function sqlIn(config: unknown): string | undefined {
  const { text, cursor } = Object(config) as { text?: unknown; cursor?: { text?: unknown } }
  return [config, text, Object(cursor).text as unknown].find((one) => typeof one === 'string')
}

/** A statement of a class of its own: a cursor, a stream of rows. */
function isSubmittable(config: unknown): boolean {
  return typeof (Object(config) as { submit?: unknown }).submit === 'function'
}

function ignore(): void {}
