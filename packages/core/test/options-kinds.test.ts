import { describe, expect, it } from 'vitest'

import { resolveOptions } from '../src/options/resolve.ts'

describe('a wrong option', () => {
  it('says what a hook, a switch and a choice must be', () => {
    const wrong = { onSession: 'set names', traceCheckouts: 1, heldAcrossInvocations: 'drop' } as never
    expect(() => resolveOptions(wrong)).toThrow(
      [
        'invalid options:',
        "`heldAcrossInvocations` must be 'reclaim', 'keep', got a string of 4 characters",
        '`onSession` must be a function that is given the new connection, got a string of 9 characters',
        '`traceCheckouts` must be true or false, got 1',
      ].join('\n - '),
    )
  })
})
