// Pools with metrics that nobody has any more, and nobody ended: the end of the process does not keep them for their metrics.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import type { MetricsSink } from '@leasehold/core'
import { createPool } from '@leasehold/pg-adapter'
import { expect, it } from 'vitest'

import { processWide } from '../../packages/core/src/process-wide.ts'
import { eventually } from './eventually.ts'

const POOLS = 200

const sink: MetricsSink = {
  everyMs: 60_000,
  record: () => undefined,
  flush: async () => undefined,
}

/** In a function of its own, so that nothing of it is on the stack. */
function openAndForget(): void {
  for (let count = 0; count < POOLS; count += 1) createPool({ host: 'db.example', metrics: sink })
}

it('are collected with all that was there for their end', async () => {
  const before = processWide().sessions.size
  openAndForget()
  expect(processWide().sessions.size).toBe(before + POOLS)
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  await eventually('they are gone', () => {
    collect()
    return processWide().sessions.size <= before + 1
  })
})
