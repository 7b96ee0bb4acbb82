import { newStats, systemClock } from '@leasehold/core'
import { describe, expect, it } from 'vitest'

import { Examination } from '../src/doctor/examination.ts'
import { Redactor } from '../src/doctor/redactor.ts'
import { examinePressure } from '../src/doctor/steps/pressure.ts'
import type { Connector, Row, Session } from '../src/target/session.ts'

/** A session of this label, idle for so long. */
function row(id: number, label: string, idleMs: number): Row {
  return {
    id,
    user_name: 'app',
    label,
    program: label,
    state: 'idle',
    state_ms: idleMs,
    now_ms: 0,
    own: false,
  }
}

function examinationOf(rows: readonly Row[]): Examination {
  const session: Session = {
    engine: 'postgresql',
    loginId: 1,
    ended: new Promise(() => {}),
    run: () => Promise.resolve(rows),
    release: () => {},
    discard: () => {},
  }
  const pool: Connector = {
    connect: () => Promise.resolve(session),
    census: () => Promise.resolve(undefined),
    stats: newStats,
    end: () => Promise.resolve(),
  }
  const target = { protocol: 'postgresql', options: { host: 'localhost' } } as const
  const parts = { clock: systemClock, env: {}, limitMs: 1_000, redactor: new Redactor() }
  const examination = new Examination(target, parts)
  Object.defineProperty(examination, 'pool', { value: pool })
  examination.view = {
    usedCount: rows.length,
    slotCount: 100,
    fleetCount: 1,
    waiting: false,
    typicalWaitMs: undefined,
  }
  return examination
}

describe('sessions that nobody governs', () => {
  const governed = row(1, 'lh:orders:0:0:checkout', 700_000)

  it('are named where they have been idle for over ten minutes', async () => {
    const { findings } = await examinePressure(
      examinationOf([governed, row(2, 'psql', 660_000), row(3, 'cron', 5_000)]),
    )
    expect(findings).toHaveLength(2)
    expect(findings[1]).toMatchObject({ status: 'warning', fault: 'IDLE_UNGOVERNED' })
    expect(findings[1]?.summary).toBe('1 session idle for over 10 min: 1 psql (1 idle, for up to 11 min)')
  })

  it('are not told from the others where no labels are shown', async () => {
    const { findings } = await examinePressure(examinationOf([row(2, 'psql', 660_000)]))
    expect(findings.map(({ status }) => status)).toEqual(['fine'])
  })
})
