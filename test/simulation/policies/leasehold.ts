// The product itself: core's Governor, on the simulated clock, server and environment. Nothing of it is copied.
import {
  type Attempt,
  type GovernedConnection,
  Governor,
  type Hands,
  type LeaseholdOptions,
  type Opened,
  type ResolvedOptions,
  resolveOptions,
} from '@leasehold/core'

import type { Client, ClientFactory, Environment } from '../environment.ts'
import type { Session } from '../session.ts'
import { REFUSED, SimulatedDialect } from './dialect.ts'

const silent = { warn: (): void => {}, error: (): void => {} }

/** Options that a run may change, past the bounds that the product sets: that is what a simulator is for. */
export type Overrides = Partial<Omit<ResolvedOptions, 'logger' | 'credentials' | 'onSession'>>

/** @param governors all that were made, for their counts */
export function leasehold(
  engine: SimulatedDialect['engine'],
  overrides: Overrides,
  governors: Governor[],
): ClientFactory {
  const given: LeaseholdOptions = { logger: silent }
  const options: ResolvedOptions = Object.freeze({ ...resolveOptions(given), ...overrides })
  const dialect = new SimulatedDialect(engine, options.fleet)
  return (environment) => {
    const client = new LeaseholdClient(environment, dialect, options)
    governors.push(client.governor)
    return client
  }
}

/** The connection of an environment, as its driver's pool has it. */
interface Holding {
  readonly session: Session
  readonly governed: GovernedConnection
  inUse: boolean
}

class LeaseholdClient implements Client {
  readonly governor: Governor
  readonly #environment: Environment
  readonly #dialect: SimulatedDialect
  readonly #env: Record<string, string> = { AWS_LAMBDA_FUNCTION_NAME: 'simulated' }
  #holding: Holding | undefined

  constructor(environment: Environment, dialect: SimulatedDialect, options: ResolvedOptions) {
    this.#environment = environment
    this.#dialect = dialect
    const { clock, world } = environment
    this.governor = new Governor(dialect, options, { clock, random: world.policyRandom, env: this.#env })
  }

  began(invocation: number): void {
    this.#env['_X_AMZN_TRACE_ID'] = String(invocation)
  }

  request(workMs: number, done: (isAnswered: boolean) => void): void {
    const holding = this.#holding
    if (holding === undefined) {
      this.#open(workMs, done)
      return
    }
    holding.inUse = true
    const fitness =
      holding.session.open || !holding.governed.spoilt ? this.governor.checkout(holding.governed) : 'lapsed'
    if (fitness === 'ready') {
      this.governor.handedOver(holding.governed)
      this.#run(holding, workMs, done)
      return
    }
    if (fitness === 'lapsed') {
      this.governor.stats.lapsed += 1
      this.#leave(holding)
      this.#open(workMs, done)
      return
    }
    this.#environment.world.promised()
    void this.governor.alive(holding.governed).then((isAlive) => {
      if (isAlive && this.#holding === holding) {
        this.governor.handedOver(holding.governed)
        this.#run(holding, workMs, done)
        return
      }
      this.governor.stats.lost += 1
      this.#leave(holding)
      this.#open(workMs, done)
    })
  }

  #open(workMs: number, done: (isAnswered: boolean) => void): void {
    this.#environment.world.promised()
    this.governor
      .open((attempt) => this.#attempt(attempt))
      .then(
        ({ connection: session, governed }) => {
          const holding: Holding = { session, governed, inUse: true }
          this.#holding = holding
          session.onLapse = () =>
            this.#environment.deliver(() => {
              if (this.#holding !== holding || holding.inUse) return
              this.governor.stats.lapsed += 1
              this.#leave(holding)
            })
          this.#run(holding, workMs, done)
        },
        () => done(false),
      )
  }

  #attempt({ publishedWaitMs, queued, signal }: Attempt): Promise<Opened<Session>> {
    const { server } = this.#environment
    const isMysql = this.#dialect.engine === 'mysql'
    const startMs = this.governor.startLeaseMs(isMysql || queued)
    const granularityMs = this.#dialect.leaseGranularityMs
    const leaseMs = Math.ceil(startMs / granularityMs) * granularityMs
    // A MySQL session starts with the server's own eight hours.
    const firstLeaseMs = isMysql ? 28_800_000 : leaseMs
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      this.#environment.connect(firstLeaseMs, publishedWaitMs, (session) => {
        if (session === undefined) {
          this.#tell(() => reject(REFUSED))
          return
        }
        if (signal.aborted) {
          server.close(session)
          return
        }
        const opened = { connection: session, hands: this.#handsOn(session), leaseMs }
        if (!isMysql) {
          this.#tell(() => resolve({ ...opened, exact: true }))
          return
        }
        server.execute(session, server.costs.setLeaseMs, 0, () => {
          if (queued) server.setLease(session, leaseMs)
          else this.#dialect.openWithCensus(server, session, this.governor.ladder)
          this.#tell(() => resolve({ ...opened, exact: queued }))
        })
      })
    })
  }

  #run(holding: Holding, workMs: number, done: (isAnswered: boolean) => void): void {
    const { server } = this.#environment
    server.execute(holding.session, server.costs.statementMs, workMs, (isAnswered) =>
      this.#environment.deliver(() => {
        if (!isAnswered) {
          // The server ended the session before it read the statement: it is sent again.
          this.#leave(holding)
          this.#open(workMs, done)
          return
        }
        this.governor.answered(holding.governed)
        this.governor.checkin(holding.governed)
        holding.inUse = false
        done(true)
      }),
    )
  }

  #handsOn(session: Session): Hands {
    const mine = (): Holding | undefined => (this.#holding?.session === session ? this.#holding : undefined)
    return {
      run: (statement) => this.#ask(session, statement),
      ping: async () => {
        await this.#ask(session, undefined)
      },
      quiet: () => !session.busy,
      idle: () => mine()?.inUse === false,
      yield: () => this.#leave(mine()),
      drop: () => this.#leave(mine()),
      leave: async () => this.#leave(mine()),
      inTransaction: () => false,
      pooled: true,
    }
  }

  /** One statement of the product's; without one, a ping. */
  #ask(session: Session, statement: string | undefined): Promise<readonly unknown[]> {
    const { server } = this.#environment
    const { setLeaseMs } = server.costs
    const cpuMs = statement?.startsWith('census') === true ? server.censusMs : setLeaseMs
    return new Promise((resolve, reject) => {
      server.execute(session, cpuMs, 0, (isAnswered) => {
        const rows =
          isAnswered && statement !== undefined
            ? this.#dialect.answer(server, session, statement, this.governor.ladder)
            : []
        this.#tell(() => (isAnswered ? resolve(rows) : reject(new Error('the session is gone'))))
      })
    })
  }

  #leave(holding: Holding | undefined): void {
    if (holding === undefined || this.#holding !== holding) return
    this.#holding = undefined
    this.governor.forget(holding.governed)
    if (holding.session.open) this.#environment.server.close(holding.session)
  }

  #tell(settle: () => void): void {
    this.#environment.deliver(() => {
      settle()
      this.#environment.world.promised()
    })
  }
}
