import { expect, it } from 'vitest'

import { Recorder } from '../src/recording.ts'

const identity = { engine: 'postgresql', serverName: 'PostgreSQL 18.4', variant: 'bare', slots: 27 } as const

it('counts time from the first phase, and ends a phase when the next begins', () => {
  let nowMs = 5_000
  const recorder = new Recorder(identity, () => nowMs)
  recorder.addSample(0)
  nowMs = 6_000
  recorder.beginPhase('burst')
  nowMs = 6_500
  recorder.addSample(12)
  recorder.beginPhase('quiet')
  expect(recorder.phases).toEqual([
    { name: 'burst', startMs: 0, endMs: 500 },
    { name: 'quiet', startMs: 500, endMs: undefined },
  ])
  nowMs = 7_000
  recorder.endPhase()
  recorder.endPhase()
  expect(recorder.phases[1]).toEqual({ name: 'quiet', startMs: 500, endMs: 1_000 })
  expect(recorder.samples).toEqual([
    { atMs: 0, sessionCount: 0 },
    { atMs: 500, sessionCount: 12 },
  ])
})
