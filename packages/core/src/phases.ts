/** How long each phase of one attempt to connect took. */

import { type Clock, Moment } from './clock.ts'
import type { MetricName, Observe } from './metrics.ts'

/** `network`: DNS and TCP. `tls`. `login`: authentication. `census`: the first statement, where there is one. */
export type ConnectPhase = 'network' | 'tls' | 'login' | 'census'

const METRIC_OF: Readonly<Record<ConnectPhase, MetricName>> = {
  network: 'ConnectNetworkTime',
  tls: 'ConnectTlsTime',
  login: 'ConnectLoginTime',
  census: 'ConnectCensusTime',
}

export class Phases {
  readonly #clock: Clock
  readonly #since: Moment
  readonly #took: [ConnectPhase, number][] = []

  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = new Moment(clock)
  }

  /** What comes now is the connect: the credential is here, or what was tried with it is tried in another way. */
  begin(): void {
    this.#took.length = 0
    this.#since.set(this.#clock)
  }

  reached(phase: ConnectPhase): void {
    this.#took.push([phase, this.#since.elapsedMs(this.#clock)])
    this.#since.set(this.#clock)
  }

  observe(observe: Observe): void {
    for (const [phase, durationMs] of this.#took) observe(METRIC_OF[phase], durationMs)
  }
}
