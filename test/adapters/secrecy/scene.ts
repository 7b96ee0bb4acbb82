// What every failure of the leak test goes through: it is made to happen, all that is shown of it is
// collected, and no secret may be in that.
import { afterAll, afterEach, beforeEach, expect } from 'vitest'

import { rejection } from '../eventually.ts'
import { Collector, type Kind } from './collector.ts'
import type { EngineUnderTest, Opened, Options } from './engines.ts'

export interface LeakScene {
  readonly collector: Collector
  /** By a pool; the error with which its use fails. */
  failure(options: Options, sql?: string): Promise<Error & { readonly code?: string }>
  /** By a connection outside a pool. */
  singleFailure(options: Options): Promise<Error & { readonly code?: string }>
  /** By a pool; prints it before, meanwhile and after. */
  success(options: Options): Promise<void>
  /** What is thrown at once. */
  thrown(make: () => unknown): Error & { readonly code?: string }
}

/** To be called where the tests of an engine are described. */
export function leakScene(engine: EngineUnderTest): LeakScene {
  let collector = new Collector()
  const kinds = new Set<Kind>()
  const opened: Opened[] = []

  const printAll = (of: Opened): void => {
    for (const [name, value] of Object.entries(of.printable()))
      collector.print(name, value, engine.hidesPassword)
  }
  const options = (given: Options): Options => {
    const { credentials } = given
    if (credentials !== undefined) collector.print('a source of credentials', credentials)
    return {
      logger: collector.logger,
      resumeBudgetMs: 0,
      acquireTimeoutMs: 5_000,
      ...given,
      ...(credentials === undefined ? {} : { credentials: collector.knowing(credentials) }),
    }
  }
  const failing = async (of: Opened, sql?: string): Promise<Error & { readonly code?: string }> => {
    opened.push(of)
    printAll(of)
    const using = rejection(of.use(sql))
    printAll(of)
    const error = await using
    collector.error('the failure', error)
    printAll(of)
    return error
  }

  beforeEach(() => {
    collector = new Collector()
    collector.knows('what begins the signature of a token', 'X-Amz-Signature')
    collector.start()
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.end().catch(() => {})
    collector.stop()
    for (const { kind } of collector.shown) kinds.add(kind)
    expect(collector.leaks()).toEqual([])
  })
  afterAll(() => {
    // Each way out has been used, so that it means something that nothing came out.
    expect([...kinds].toSorted()).toEqual(expect.arrayContaining(['JSON', 'error', 'inspect', 'log']))
  })

  return {
    get collector() {
      return collector
    },
    failure: (given, sql) => failing(engine.pool(options(given)), sql),
    singleFailure: (given) => failing(engine.single(options(given))),
    success: async (given) => {
      const of = engine.pool(options(given))
      opened.push(of)
      printAll(of)
      await of.use()
      const using = of.use(engine.slowStatement)
      await new Promise((resolve) => setTimeout(resolve, 50))
      printAll(of)
      await using
      printAll(of)
    },
    thrown: (make) => {
      try {
        make()
      } catch (error) {
        collector.error('what was thrown', error)
        return error as Error
      }
      throw new Error('expected it to throw')
    },
  }
}
