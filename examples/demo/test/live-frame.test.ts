import { describe, expect, it } from 'vitest'

import { frame, type Paint, plainLine } from '../src/live/frame.ts'
import type { Recording } from '../src/recording.ts'
import { answer, recording, refusal } from './recordings.ts'

const same = (text: string): string => text
const plain: Paint = { strong: same, faint: same, good: same, bad: same }
const marked: Paint = { ...plain, strong: (text) => `<${text}>` }

const progress = (shown: Recording): Parameters<typeof frame>[0] => ({
  recording: shown,
  nowMs: 8_000,
  totalMs: 67_000,
  runNumber: 2,
  runCount: 4,
})

describe('the live view', () => {
  it('shows sessions against the slots, answered, failed and latency', () => {
    const text = frame(progress(recording()), plain).join('\n')
    expect(text).toContain('PostgreSQL 18.4, bare pool (pg.Pool)   run 2 of 4   1:07')
    expect(text).toContain('19 of 27 slots')
    expect(text).toMatch(/answered +3 /)
    expect(text).toMatch(/failed +3 +50 % +sorry, too many clients already/)
    expect(text).toMatch(/latency +p50 30 ms +p99 30 ms/)
  })

  it('points out the phase that is on', () => {
    const [burst] = recording().phases
    const text = frame(progress(recording({ phases: burst === undefined ? [] : [burst] })), marked).join('\n')
    expect(text).toContain('<burst>  ›  quiet spell')
  })

  it('says so while environments still start', () => {
    const shown = recording({ phases: [], samples: [], invocations: [] })
    expect(frame(progress(shown), plain).join('\n')).toContain('environments start …')
    expect(plainLine(progress(shown))).toContain('starting: sessions 0 of 27, answered 0, failed 0, p50 –')
  })

  it('stays within 80 columns, whatever the error says and however many sessions there are', () => {
    const shown = recording({
      serverName: 'MariaDB 10.11.19',
      engine: 'mariadb',
      variant: 'governed',
      samples: [{ atMs: 0, sessionCount: 1_000 }],
      invocations: [answer(0, 20), refusal(0, { failure: 'an error as long as this line '.repeat(5) })],
    })
    expect(Math.max(...frame(progress(shown), plain).map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it('has latency for the last seconds only', () => {
    const shown = recording({ invocations: [answer(0, 900), answer(7_000, 20)] })
    expect(plainLine(progress(shown))).toContain('p50 20 ms, p99 20 ms')
  })
})
