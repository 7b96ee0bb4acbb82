import { beforeAll, describe, expect, it } from 'vitest'

import type { Machine } from '../src/machine.ts'
import { renderReport } from '../src/report/page.ts'
import { commonScales } from '../src/report/scales.ts'
import { answer, recording, refusal } from './recordings.ts'

const machine: Machine = {
  processor: 'Some <CPU>',
  coreCount: 2,
  memoryGib: 7.7,
  platform: 'linux x64',
  node: 'v24.0.0',
  drivers: { pg: '8.0.0' },
  date: '2026-11-21 08:30 UTC',
}

describe('the report', () => {
  let page = ''
  beforeAll(async () => {
    const bare = recording({ invocations: [answer(0, 20), refusal(0, { failure: '<b>no & nothing</b>' })] })
    const governed = recording({ variant: 'governed' })
    page = await renderReport([bare, governed], machine, ['MariaDB is not here: install it'])
  })

  it('is one file that asks for nothing else', () => {
    expect(page).not.toMatch(/https?:|<script|<link|@import|url\((?!#)/)
  })

  it('has three charts for each run, drawn in the colours of the style sheet', () => {
    expect(page.match(/<svg/g)).toHaveLength(6)
    expect(page).toContain('stroke="var(--p99)"')
    expect(page).not.toContain('NaN')
  })

  it('names each chart for those who do not see it', () => {
    expect(page).toContain('aria-label="Sessions on the server, PostgreSQL 18.4, bare pool"')
  })

  it('shows what came from outside as text', () => {
    expect(page).toContain('&lt;b&gt;no &amp; nothing&lt;/b&gt;')
    expect(page).toContain('Some &lt;CPU&gt;')
  })

  it('says what was left out', () => {
    expect(page).toContain('Left out: MariaDB is not here: install it')
  })

  it('says of a load without an answer that there was none', () => {
    expect(page).toContain('no answer at all')
  })
})

describe('the scales of two charts side by side', () => {
  it('have room for the larger of both', () => {
    const small = recording({ samples: [{ atMs: 0, sessionCount: 1 }], invocations: [answer(0, 10)] })
    const large = recording({
      samples: [{ atMs: 0, sessionCount: 30 }],
      invocations: [answer(25_000, 4_000)],
    })
    const scales = commonScales([small, large])
    expect(scales.timeMs).toBe(29_000)
    expect(scales.sessionCount).toBeGreaterThanOrEqual(30)
    expect(scales.latencyMs[1]).toBeGreaterThan(4_000)
  })

  it('end above the slots, even where few are used', () => {
    expect(commonScales([recording({ samples: [] })]).sessionCount).toBeGreaterThan(27)
  })

  it('are usable for a run without a single request', () => {
    expect(commonScales([recording({ invocations: [] })]).requestsPerBucket).toBe(1)
  })
})
