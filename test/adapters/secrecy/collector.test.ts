// That the collector would find what it looks for: each way out, each form, and no more than was allowed.
import { inspect } from 'node:util'

import { LeaseholdError } from '@leasehold/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Collector } from './collector.ts'

const SECRET = 'hunter/2+"two" & ü%20'

describe('a planted secret is found', () => {
  let collector: Collector
  beforeEach(() => {
    collector = new Collector()
    collector.knows('it', SECRET)
    // What is planted here need not be seen.
    vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    collector.start()
  })
  afterEach(() => {
    collector.stop()
    vi.restoreAllMocks()
  })

  const planted = (): Error => new Error(`bad password ${SECRET}`)
  class Carrier {
    readonly #told: string
    constructor(told: string) {
      this.#told = told
    }
    [inspect.custom](): string {
      return this.#told
    }
  }

  it.each<[string, () => unknown]>([
    ['an error’s message', () => collector.error('it', planted())],
    [
      'a cause of a cause',
      () => collector.error('it', new Error('a', { cause: new Error('b', { cause: planted() }) })),
    ],
    ['a member of an aggregate', () => collector.error('it', new AggregateError([planted()]))],
    ['a stack', () => collector.error('it', Object.assign(new Error('a'), { stack: SECRET }))],
    ['a member', () => collector.error('it', Object.assign(new Error('a'), { config: { url: SECRET } }))],
    [
      'a hidden member',
      () =>
        collector.error(
          'it',
          Object.defineProperty(new Error('a'), 'leasehold', { value: { summary: SECRET } }),
        ),
    ],
    ['an error of ours', () => collector.error('it', new LeaseholdError('INVALID_OPTIONS', SECRET))],
    ['a line of the logger', () => collector.logger.warn(`refused ${SECRET}`)],
    ['the details of a line', () => collector.logger.error('refused', { given: [SECRET] })],
    // oxlint-disable-next-line no-console
    ['the console', () => console.warn('refused', { given: SECRET })],
    ['standard output', () => process.stdout.write(`(planted) ${SECRET}\n`)],
    ['standard error, as bytes', () => process.stderr.write(Buffer.from(`(planted) ${SECRET}\n`))],
    ['a member of a member', () => collector.print('it', { a: { b: { c: { d: { e: { f: SECRET } } } } } })],
    ['a hidden one', () => collector.print('it', Object.defineProperty({}, 'password', { value: SECRET }))],
    ['what prints itself', () => collector.print('it', new Carrier(SECRET))],
    ['what JSON alone tells', () => collector.print('it', { [inspect.custom]: () => '', a: SECRET })],
    ['a map’s key', () => collector.print('it', new Map([[SECRET, 1]]))],
    ['a buffer', () => collector.print('it', Buffer.from(SECRET))],
    ['an address', () => collector.error('it', new Error(`mysql://app:${encodeURIComponent(SECRET)}@db`))],
    ['a form', () => collector.error('it', new Error(new URLSearchParams({ SECRET }).toString()))],
    ['JSON in a text', () => collector.error('it', new Error(JSON.stringify({ SECRET })))],
    ['base64', () => collector.error('it', new Error(Buffer.from(SECRET).toString('base64')))],
    [
      'base64 of more',
      () => collector.error('it', new Error(Buffer.from(`app:${SECRET}:x`).toString('base64'))),
    ],
    [
      'base64url of more',
      () => collector.error('it', new Error(Buffer.from(`a:${SECRET}`).toString('base64url'))),
    ],
  ])('in %s', (_way, plant) => {
    plant()
    expect(collector.leaks()).not.toEqual([])
    expect(collector.leaks().join('\n')).not.toContain(SECRET)
  })

  it('in a warning of the process', async () => {
    process.emitWarning(`deprecated ${SECRET}`)
    await new Promise((resolve) => setImmediate(resolve))
    expect(collector.leaks()).not.toEqual([])
  })

  it.each<[string, PropertyDescriptor & { readonly name: string }]>([
    ['is not hidden', { name: 'password', value: SECRET, enumerable: true }],
    ['has another name', { name: 'copy', value: SECRET }],
    ['has more in it', { name: 'password', value: `${SECRET}@db` }],
  ])('in a member of a driver’s that %s', (_what, { name, ...member }) => {
    collector.print('it', Object.defineProperty({}, name, member), true)
    expect(collector.leaks()).not.toEqual([])
  })
})

it('finds nothing where nothing is, nor in what a driver may keep', () => {
  const collector = new Collector()
  collector.knows('it', SECRET)
  const own = Object.defineProperty({}, 'password', { value: SECRET })
  collector.print('a driver’s', own, true)
  collector.error('it', new Error('a', { cause: new Error('b') }))
  expect(collector.leaks()).toEqual([])
})
