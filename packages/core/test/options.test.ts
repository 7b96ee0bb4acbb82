import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { LeaseholdError } from '../src/errors.ts'
import { consoleLogger } from '../src/log.ts'
import { noMetrics } from '../src/metrics.ts'
import { FIELDS } from '../src/options/fields.ts'
import { OPTION_NAMES, resolveOptions, splitOptions } from '../src/options/resolve.ts'
import { ListeningLogger } from './scene.ts'

/** The lines under "invalid options:", or none where the options are sound. */
function problemsOf(own: object, driver: Record<string, unknown> = {}, driverNames: string[] = []): string[] {
  try {
    resolveOptions(own, driver, driverNames)
    return []
  } catch (error) {
    if (!LeaseholdError.is(error) || error.code !== 'INVALID_OPTIONS') throw error
    const [head, ...problems] = error.message.split('\n - ')
    expect(head).toBe('invalid options:')
    return problems
  }
}

describe('options left out', () => {
  it('have the defaults of the field table', () => {
    expect(resolveOptions({})).toEqual({
      fleet: 'leasehold',
      maxLeaseMs: 300_000,
      minLeaseMs: 500,
      targetPressure: 0.8,
      reap: true,
      pingAfterIdleMs: 1_000,
      censusEveryMs: 2_000,
      connectTimeoutMs: 5_000,
      acquireTimeoutMs: 10_000,
      environmentConnections: 0,
      resumeBudgetMs: 30_000,
      queryTimeoutMs: 0,
      transactionIdleMs: 60_000,
      heldAcrossInvocations: 'reclaim',
      traceCheckouts: false,
      backoffBaseMs: 50,
      backoffCapMs: 300,
      lease: 'server',
      metrics: noMetrics,
      hooks: {},
      logger: consoleLogger,
    })
  })

  it('may also be given as undefined', () => {
    const given = Object.fromEntries(OPTION_NAMES.map((name) => [name, undefined]))
    expect(resolveOptions(given)).toEqual(resolveOptions({}))
  })

  it('may be left out of an object option one by one', () => {
    expect(resolveOptions({ backoff: { capMs: 900 } })).toMatchObject({
      backoffBaseMs: 50,
      backoffCapMs: 900,
    })
    expect(resolveOptions({ backoff: { baseMs: undefined } })).toMatchObject({ backoffBaseMs: 50 })
  })
})

describe('sound options', () => {
  it('are taken as they are, 0 included', () => {
    const logger = new ListeningLogger()
    const options = { fleet: 'shop', pingAfterIdleMs: 0, resumeBudgetMs: 0, lease: 'off', logger } as const
    expect(resolveOptions(options)).toMatchObject(options)
  })

  it('are frozen once resolved', () => {
    expect(Object.isFrozen(resolveOptions({}))).toBe(true)
  })

  it('are accepted at both ends of every range', () => {
    for (const [name, field] of Object.entries(FIELDS)) {
      if (field.kind !== 'wholeMs' && field.kind !== 'share') continue
      for (const value of [field.min, field.max]) {
        const messages = problemsOf(nested(name, value)).filter(
          (problem) => !problem.includes('must not exceed'),
        )
        expect(messages).toEqual([])
      }
    }
  })

  it('leave the caller’s object as it was', () => {
    const given = { host: 'db', maxLeaseMs: 60_000, backoff: { baseMs: 10 } }
    const copy = structuredClone(given)
    const { own, driver } = splitOptions(Object.freeze(given))
    resolveOptions(own, driver)
    expect(given).toEqual(copy)
  })
})

describe('wrong options', () => {
  it('are all told at once, in one error', () => {
    expect(
      problemsOf(
        {
          minLeaseMs: -1,
          targetPressure: 2,
          lease: 'none',
          fleet: 'my fleet',
          logger: {},
          backoff: { base: 5 },
        },
        { maxLease: 5, host: 'db' },
      ),
    ).toEqual([
      'unknown option `maxLease` (did you mean `maxLeaseMs`?)',
      '`fleet` must be 1 to 20 letters, digits, "_", "." or "-", got a string of 8 characters',
      '`minLeaseMs` must be a whole number of milliseconds from 250 to 900000, got -1',
      '`targetPressure` must be a number from 0.1 to 1, got 2',
      "`lease` must be 'server', 'client', 'off', got a string of 4 characters",
      '`logger` must have the methods `warn` and `error`, got object',
      'unknown option `backoff.base` (did you mean `backoff.baseMs`?)',
    ])
  })

  it('stand after the problems that the adapter found in the driver’s options', () => {
    expect(() => resolveOptions({ minLeaseMs: 1 }, {}, [], ['`max` must be at least 1'])).toThrow(
      /^invalid options:\n - `max` must be at least 1\n - `minLeaseMs` must be/,
    )
  })

  it.each([
    ['a fraction of a millisecond', 1_500.5],
    ['a number in a string', '5000'],
    ['no number', Number.NaN],
    ['no end', Number.POSITIVE_INFINITY],
    ['null', null],
    ['too much', 900_001],
    ['too little', 999],
    ['an object', {}],
  ])('are told where a duration is %s', (_what, maxLeaseMs) => {
    expect(problemsOf({ maxLeaseMs }).join()).toContain('`maxLeaseMs` must be a whole number')
  })

  it('are told below and above every range', () => {
    for (const [name, field] of Object.entries(FIELDS)) {
      if (field.kind !== 'wholeMs' && field.kind !== 'share') continue
      for (const value of [field.min - 1, field.max + 1]) {
        expect(problemsOf(nested(name, value)).join()).toContain(`\`${name}\` must be`)
      }
    }
  })

  it('are told where a fleet has a name that a label cannot carry', () => {
    for (const fleet of ['', 'a:b', 'a b', 'ü', 'x'.repeat(21), 5]) {
      expect(problemsOf({ fleet }).join()).toContain('`fleet` must be')
    }
  })

  it.each([null, 5, 'fast'])('are told where backoff is no object: %j', (backoff) => {
    expect(problemsOf({ backoff })[0]).toMatch(/^`backoff` must be an object with `baseMs` and `capMs`, got /)
  })

  it('are told where two contradict each other', () => {
    expect(problemsOf({ minLeaseMs: 5_000, maxLeaseMs: 2_000 })).toEqual([
      '`minLeaseMs` (5000) must not exceed `maxLeaseMs` (2000)',
    ])
    expect(problemsOf({ backoff: { baseMs: 500, capMs: 400 } })).toEqual([
      '`backoff.baseMs` (500) must not exceed `backoff.capMs` (400)',
    ])
  })

  it('are told where one contradicts a default', () => {
    expect(problemsOf({ backoff: { baseMs: 400 } })).toEqual([
      '`backoff.baseMs` (400) must not exceed `backoff.capMs` (300)',
    ])
  })

  it.each(['hunter2', 'AKIAIOSFODNN7EXAMPLE', 'correct horse battery staple', 's3cr3t!'])(
    'are described without echoing a string that may be a secret: %s',
    (secret) => {
      const given = {
        fleet: `${secret} `,
        maxLeaseMs: secret,
        targetPressure: secret,
        lease: secret,
        backoff: secret,
      }
      expect(problemsOf(given)).toHaveLength(5)
      expect(problemsOf(given).join('\n')).not.toContain(secret)
    },
  )

  it('are echoed where a number came as a string, which is no secret and the likeliest slip', () => {
    expect(problemsOf({ maxLeaseMs: '5000' })).toEqual([
      "`maxLeaseMs` must be a whole number of milliseconds from 1000 to 900000, got '5000'",
    ])
  })

  it('never throw anything but the one error, whatever is given', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...OPTION_NAMES), fc.anything()), (given) => {
        problemsOf(given)
      }),
    )
  })
})

describe('an unknown name', () => {
  it.each([
    ['maxLease', 'maxLeaseMs'],
    ['pingAfterIdle', 'pingAfterIdleMs'],
    ['MAXLEASEMS', 'maxLeaseMs'],
    ['fleat', 'fleet'],
    ['resumeBudget', 'resumeBudgetMs'],
    ['acquireTimeoutMillis', 'acquireTimeoutMs'],
    ['loggerMs', 'logger'],
  ])('that looks like one of ours is a problem: %s', (name, meant) => {
    expect(problemsOf({}, { [name]: 1 })).toEqual([`unknown option \`${name}\` (did you mean \`${meant}\`?)`])
  })

  it.each(['host', 'port', 'ssl', 'stringTypes', 'x', 'connectionLimit', 'constructor', 'toString'])(
    'that looks like none of ours is the driver’s affair: %s',
    (name) => {
      expect(problemsOf({}, { [name]: 1 })).toEqual([])
    },
  )

  it('is never flagged when it is one of the driver’s own, however close', () => {
    expect(problemsOf({}, { connectTimeout: 5, log: true })).not.toEqual([])
    expect(problemsOf({}, { connectTimeout: 5, log: true }, ['connectTimeout', 'log'])).toEqual([])
  })

  it('in backoff is a problem even where it looks like nothing', () => {
    expect(problemsOf({ backoff: { jitter: 'full' } })).toEqual(['unknown option `backoff.jitter`'])
  })
})

describe('one object of options', () => {
  it('is split into ours and the driver’s', () => {
    const ssl = { ca: 'pem' }
    expect(splitOptions({ host: 'db', minLeaseMs: 1_000, ssl, backoff: { baseMs: 5 } })).toEqual({
      own: { minLeaseMs: 1_000, backoff: { baseMs: 5 } },
      driver: { host: 'db', ssl },
    })
  })

  it('hands the driver its values by identity', () => {
    const types = { getTypeParser: () => undefined }
    expect(splitOptions({ types }).driver['types']).toBe(types)
  })
})

/** `backoff.baseMs` as users write it. */
function nested(name: string, value: unknown): Record<string, unknown> {
  const [head = name, member] = name.split('.')
  return { [head]: member === undefined ? value : { [member]: value } }
}
