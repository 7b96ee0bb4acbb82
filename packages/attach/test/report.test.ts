import { afterEach, describe, expect, it, vi } from 'vitest'

import { Report } from '../src/report.ts'

const spied = () => ({
  info: vi.spyOn(console, 'info').mockReturnValue(),
  warn: vi.spyOn(console, 'warn').mockReturnValue(),
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('what attachment tells', () => {
  it('is one line for each kind of thing', () => {
    const lines = spied()
    const report = new Report({})
    report.governed('pg.Pool')
    report.governed('pg.Pool')
    expect(lines.info.mock.calls).toEqual([[expect.stringContaining('attached to pg.Pool')]])
    expect(report.counts.governed).toEqual({ 'pg.Pool': 2 })
  })

  it('is nothing on the standard output of a program that the function started', () => {
    const lines = spied()
    const report = new Report({}, true)
    report.governed('pg.Pool')
    report.leftAlone('pg.Client', new Error('it is behind a Proxy'))
    expect(lines.info).not.toHaveBeenCalled()
    expect(lines.warn).toHaveBeenCalledOnce()
  })
})
