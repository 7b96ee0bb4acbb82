import { describe, expect, it } from 'vitest'

import { asGiven } from '../src/as-given.ts'

describe('a statement as it was given', () => {
  it.each([
    ['a list', ['once', 2]],
    ['an object', { text: 'select 1', idempotent: true }],
    ['an object with values', { sql: 'select ?', values: ['once'] }],
    ['an object with named values', { sql: 'select :a', values: { a: 'once', values: [1] } }],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
  ])('is a copy of %s, values and all', (_name, given) => {
    const copy = asGiven(given)
    expect(copy).toEqual(given)
    expect(copy).not.toBe(given)
    const { values } = given as { values?: unknown }
    if (typeof values === 'object') expect((copy as { values: unknown }).values).not.toBe(values)
  })

  it.each([
    ['text', 'select 1'],
    ['nothing', undefined],
    ['null', null],
    ['a buffer', Buffer.from('a')],
    ['an object of a class', new Date(0)],
  ])('is itself where it is %s', (_name, given) => {
    expect(asGiven(given)).toBe(given)
  })
})
