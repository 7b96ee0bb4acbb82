import { describe, expect, it } from 'vitest'

import { FIELDS } from '../src/options/fields.ts'
import { optionsTable } from '../src/options/table.ts'

describe('the options table', () => {
  const [head, rule, ...rows] = optionsTable().split('\n')

  it('has a head, and one row for each field, in the fields’ order', () => {
    expect(head).toBe('| option | default | range | meaning |')
    expect(rule).toBe('|---|---|---|---|')
    expect(rows.map((row) => row.split('`')[1])).toEqual(Object.keys(FIELDS))
  })

  it('shows each kind of field in its own way', () => {
    expect(rows).toContainEqual(
      expect.stringMatching(/^\| `maxLeaseMs` \| 300 000 \| 1 000 to 900 000 ms \| The lease/),
    )
    expect(rows).toContainEqual(expect.stringMatching(/^\| `targetPressure` \| 0.8 \| 0.1 to 1 \| /))
    expect(rows).toContainEqual(expect.stringMatching(/^\| `environmentConnections` \| 0 \| 0 to 10 000 \| /))
    expect(rows).toContainEqual(
      expect.stringMatching(/^\| `lease` \| `server` \| `server`, `client`, `off` \| /),
    )
    expect(rows).toContainEqual(expect.stringMatching(/^\| `fleet` \| `leasehold` \| 1 to 20 characters \| /))
    expect(rows).toContainEqual(
      expect.stringMatching(/^\| `traceCheckouts` \| `false` \| `true`, `false` \| /),
    )
    expect(rows).toContainEqual(expect.stringMatching(/^\| `onSession` \| none \| function \| /))
    expect(rows).toContainEqual(expect.stringMatching(/^\| `logger` \| `console` \| object \| /))
  })

  it('has four cells in every row, so that no summary breaks it', () => {
    for (const row of rows) expect(row.split('|')).toHaveLength(6)
  })
})
