// What people have without governance: a pool of one connection that is never given back, or a connect an invocation.
import type { Client, Environment } from '../environment.ts'
import type { Session } from '../session.ts'

/** A bare driver's pool, max 1: the first refusal is the request's failure, and an idle session stays for ever. */
export class BarePool implements Client {
  readonly #environment: Environment
  #session: Session | undefined

  constructor(environment: Environment) {
    this.#environment = environment
  }

  request(workMs: number, done: (isAnswered: boolean) => void): void {
    const { server } = this.#environment
    if (this.#session !== undefined) {
      server.execute(this.#session, server.costs.statementMs, workMs, done)
      return
    }
    this.#environment.connect(Number.POSITIVE_INFINITY, 0, (session) => {
      this.#session = session
      if (session === undefined) done(false)
      else server.execute(session, server.costs.statementMs, workMs, done)
    })
  }
}

/** Connect, one statement, end. */
export class ConnectPerInvocation implements Client {
  readonly #environment: Environment

  constructor(environment: Environment) {
    this.#environment = environment
  }

  request(workMs: number, done: (isAnswered: boolean) => void): void {
    const { server } = this.#environment
    this.#environment.connect(Number.POSITIVE_INFINITY, 0, (session) => {
      if (session === undefined) {
        done(false)
        return
      }
      server.execute(session, server.costs.statementMs, workMs, (isAnswered) => {
        server.close(session)
        done(isAnswered)
      })
    })
  }
}
