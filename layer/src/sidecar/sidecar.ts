/** The sidecar: metrics, secrets, tokens and places for the processes of one environment. */

import { awakeClock } from './awake-clock.ts'
import {
  type Answered,
  type Env,
  type LimitedLog,
  nameOf,
  type Said,
  socketOf,
  systemRandom,
  tokenSigner,
} from './core.ts'
import { HttpDoor } from './http-door.ts'
import { MetricsDesk } from './metrics-desk.ts'
import { Places } from './places.ts'
import { SecretDesk } from './secret-desk.ts'
import { SocketDoor, type Visitor } from './socket-door.ts'
import { TokenDesk } from './token-desk.ts'

export class Sidecar {
  readonly #metrics: MetricsDesk
  readonly #places = new Places(awakeClock)
  readonly #http: HttpDoor
  readonly #socket: SocketDoor

  constructor(env: Env, log: LimitedLog) {
    this.#metrics = new MetricsDesk(awakeClock, env, log, systemRandom)
    const secrets = new SecretDesk(awakeClock, env)
    const tokens = new TokenDesk(tokenSigner(undefined, awakeClock, env), awakeClock)
    this.#http = new HttpDoor({ env, log, secrets, tokens })
    this.#socket = new SocketDoor(socketOf(env), log, (answer) => this.#visitor(answer))
  }

  /** Resolves once it can be reached, or what can't be was logged. Never rejects. */
  async start(): Promise<void> {
    await Promise.all([this.#socket.listen(), this.#http.listen()])
  }

  /** Sends what it has. Never rejects. */
  async end(): Promise<void> {
    await this.#socket.end()
    await this.#metrics.end()
  }

  #visitor(answer: (answer: Answered) => void): Visitor {
    return {
      said: (message) => {
        const { number } = message
        try {
          this.#said(message, answer)
        } catch (error) {
          answer({ kind: 'refused', number, why: whyOf(error) })
        }
      },
      left: () => this.#places.leave(answer),
    }
  }

  #said(message: Said, answer: (answer: Answered) => void): void {
    switch (message.kind) {
      case 'metrics':
        this.#metrics.take(message.to, message.data)
        answer({ kind: 'taken', number: message.number })
        break
      case 'take':
        this.#places.take(answer, message)
        break
      case 'give':
        this.#places.give(answer, message.number)
        break
      default:
        throw new Error('a message of another version')
    }
  }
}

/** Of the options of a place for metrics, or of another version; neither has anything secret in it. */
function whyOf(error: unknown): string {
  return error instanceof Error ? error.message : nameOf(error)
}
