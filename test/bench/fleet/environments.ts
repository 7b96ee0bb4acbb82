// Environments of one function, each to be addressed by itself: which of them gets a request is the load's choice.
import {
  deployFunction,
  type Invocation,
  type LambdaFunction,
  type RuntimeKind,
} from '@leasehold/lambda-emulator'

import type { FleetPlan } from './scenarios.ts'

export interface Deployment {
  readonly taskRoot: string
  readonly handler: string
  readonly environment: Readonly<Record<string, string>>
  readonly nodeArgs: readonly string[]
  /** How long an invocation may run. @defaultValue longer than any library here waits for a slot by itself, so that it can say why */
  readonly limitMs?: number | undefined
}

/** Longer than any library here waits for a slot by itself, so that it can say why it gave up. */
const LIMIT_MS = 15_000
const INIT_TIMEOUT_MS = 60_000

export class Environments {
  readonly count: number
  /** One deployment each: the emulator would choose by itself, and start another where none is idle. */
  readonly #each: readonly LambdaFunction[]
  /** Idle ones, the one used last at the end. */
  readonly #idle: number[]

  constructor(
    { name, functionName = name, environments }: FleetPlan,
    { limitMs = LIMIT_MS, ...deployment }: Deployment,
  ) {
    this.count = environments
    this.#each = Array.from({ length: environments }, () =>
      deployFunction({
        ...deployment,
        name: functionName,
        timeoutMs: limitMs,
        initTimeoutMs: INIT_TIMEOUT_MS,
        maxEnvironments: 1,
      }),
    )
    this.#idle = this.#each.map((_, index) => index)
  }

  /** Whose runtime client the environments have: AWS's own where it loads. */
  get runtime(): RuntimeKind | undefined {
    return this.#each[0]?.runtime
  }

  async start(): Promise<void> {
    try {
      await Promise.all(this.#each.map((one) => one.scaleTo(1)))
    } catch (error) {
      const said = this.#each.flatMap(({ environments }) => environments.flatMap(({ log }) => log))
      throw new Error(`an environment does not start: ${said.slice(0, 5).join('\n') || String(error)}`, {
        cause: error,
      })
    }
  }

  /** Takes an idle environment; undefined if there is none. */
  take(dispatch: 'recent' | 'random', random: () => number): number | undefined {
    if (dispatch === 'recent') return this.#idle.pop()
    const at = Math.floor(random() * this.#idle.length)
    const last = this.#idle.pop()
    if (last === undefined || at >= this.#idle.length) return last
    const taken = this.#idle[at]
    this.#idle[at] = last
    return taken
  }

  giveBack(index: number): void {
    this.#idle.push(index)
  }

  /** Resolves when the environment is frozen again, with what came of the request and when it was answered. */
  async invoke(index: number, event: object): Promise<Invocation> {
    const one = this.#each[index]
    if (one === undefined) throw new RangeError(`there is no environment ${index}`)
    return await one.invoke(event, { settle: true })
  }

  vanish(): void {
    for (const one of this.#each) for (const environment of one.environments) environment.vanish()
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#each.map((one) => one.dispose()))
  }
}
