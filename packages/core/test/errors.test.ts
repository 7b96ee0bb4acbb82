import { describe, expect, it, vi } from 'vitest'

import {
  annotate,
  codeOf,
  ERROR_CODES,
  failureDetails,
  type FailureDetails,
  LeaseholdError,
} from '../src/errors.ts'

const details: FailureDetails = {
  kind: 'saturated',
  attempts: 7,
  waitedMs: 3_000,
  pressure: 1,
  summary: 'no slot',
}

describe('an error of our own', () => {
  it('has a code, a name and its cause', () => {
    const cause = new Error('refused')
    const error = new LeaseholdError('ACQUIRE_TIMEOUT', 'nothing free', { cause })
    expect(error).toMatchObject({
      code: 'ACQUIRE_TIMEOUT',
      name: 'LeaseholdError',
      message: 'nothing free',
      cause,
    })
    expect(error).toBeInstanceOf(Error)
  })

  it('is recognised across copies of the package, where instanceof fails', async () => {
    vi.resetModules()
    const other = await import('../src/errors.ts')
    const error = new other.LeaseholdError('CONNECT_TIMEOUT', 'too slow')
    expect(error).not.toBeInstanceOf(LeaseholdError)
    expect(LeaseholdError.is(error)).toBe(true)
    expect(other.LeaseholdError.is(new LeaseholdError('CONNECT_TIMEOUT', 'too slow'))).toBe(true)
  })

  it.each([
    ['an error of a driver', new Error('53300')],
    ['a look-alike', { name: 'LeaseholdError', code: 'CONNECT_TIMEOUT' }],
    ['a string', 'LeaseholdError'],
    ['null', null],
    ['undefined', undefined],
  ])('is not taken for %s', (_what, value) => {
    expect(LeaseholdError.is(value)).toBe(false)
  })

  it('shows nothing but its code when it is printed as data', () => {
    expect(Object.keys(new LeaseholdError('CONNECT_TIMEOUT', 'too slow')).toSorted()).toEqual([
      'code',
      'name',
    ])
  })

  it('has a code from a closed list', () => {
    expect([...ERROR_CODES].toSorted()).toEqual([
      'ACQUIRE_TIMEOUT',
      'CONNECT_TIMEOUT',
      'CREDENTIALS_INVALID',
      'CREDENTIALS_UNAVAILABLE',
      'INVALID_OPTIONS',
      'QUERY_TIMEOUT',
      'TLS_REQUIRED',
      'TRANSACTION_ABORTED',
      'UNSUPPORTED_DRIVER',
    ])
  })
})

describe('the details on an error of a driver', () => {
  it('leave its identity, its code and what is printed of it as they were', () => {
    const error = Object.assign(new Error('too many clients'), { code: '53300' })
    const before = JSON.stringify(error)
    annotate(error, details)
    expect(error.code).toBe('53300')
    expect(Object.keys(error)).toEqual(['code'])
    expect(JSON.stringify(error)).toBe(before)
    expect(failureDetails(error)).toEqual(details)
  })

  it('cannot be changed by whoever reads them', () => {
    const error = new Error('too many clients')
    annotate(error, { ...details })
    expect(Object.isFrozen(failureDetails(error))).toBe(true)
  })

  it('are replaced when the same error surfaces again', () => {
    const error = new Error('too many clients')
    annotate(error, details)
    annotate(error, { ...details, attempts: 8 })
    expect(failureDetails(error)?.attempts).toBe(8)
  })

  it.each([
    ['a frozen error', Object.freeze(new Error('frozen'))],
    ['a sealed error', Object.seal(new Error('sealed'))],
    ['a string', 'thrown as it is'],
    ['undefined', undefined],
  ])('are left out without a word on %s', (_what, error) => {
    annotate(error, details)
    expect(failureDetails(error)).toBeUndefined()
  })
})

describe('the code of an error', () => {
  it.each([
    [{ code: '53300', errno: 5 }, '53300'],
    [{ code: '', errno: 1040 }, '1040'],
    [{ errno: -111 }, '-111'],
    [{ message: 'password=hunter2' }, 'unknown'],
    ['password=hunter2', 'unknown'],
    [null, 'unknown'],
  ])('is the driver’s own, and never a part of its text: %j', (error, code) => {
    expect(codeOf(error)).toBe(code)
  })
})
