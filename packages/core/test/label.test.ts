import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { formatLabel, parseLabel } from '../src/label.ts'

const fleets = fc.stringMatching(/^[\w.-]{1,20}$/)
const waits = fc.nat({ max: 900_000 })
const epochs = fc.integer({ min: 1_600_000_000_000, max: 4_000_000_000_000 })
const hostileNames = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    "'; drop table x; --",
    'a\nb\0c',
    '%s%n',
    ':::',
    'ünïcødé 🙂',
    '\u{202e}',
    'lh:other:0:0:x',
    '\ud800',
  ),
)
const recalls = fc.option(
  fc.record({
    afterIdleMs: fc.integer({ min: 0, max: 9_004 }).map((tenths) => tenths * 100),
    limitMs: fc.integer({ min: 1, max: 900 }).map((seconds) => seconds * 1_000),
  }),
  { nil: undefined },
)
const labels = fc.record({
  fleet: fleets,
  name: hostileNames,
  waitedMs: waits,
  openedEpochMs: epochs,
  recall: recalls,
})

describe('a label', () => {
  it('reads like this', () => {
    const label = { fleet: 'shop', name: 'checkout', waitedMs: 120.4, openedEpochMs: 1_800_000_000_999 }
    expect(formatLabel(label)).toBe(
      'lh:shop:120:trof0g:checkout'.replace('trof0g', (1_800_000_000).toString(36)),
    )
  })

  it('says when the session may be recalled, in tenths of a second and in seconds', () => {
    const label = { fleet: 'shop', name: 'checkout', waitedMs: 0, openedEpochMs: 0 }
    const recall = { afterIdleMs: 1_500, limitMs: 30_000 }
    expect(formatLabel({ ...label, recall })).toBe('lh:shop:0:0.15.30:checkout')
  })

  it('comes back as it went out, to the second', () => {
    const names = fc.stringMatching(/^[!-~]{0,15}$/)
    fc.assert(
      fc.property(labels, names, (label, name) => {
        expect(parseLabel(formatLabel({ ...label, name }))).toEqual({
          ...label,
          name,
          openedEpochMs: Math.floor(label.openedEpochMs / 1_000) * 1_000,
        })
      }),
    )
  })

  it('has at most 63 bytes of printable ASCII, whatever the name', () => {
    fc.assert(
      fc.property(labels, (label) => {
        const text = formatLabel(label)
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(63)
        expect(text).toMatch(/^[\x21-\x7e]+$/)
      }),
    )
  })

  it('keeps fleet, wait and age whatever the name', () => {
    fc.assert(
      fc.property(labels, (label) => {
        const { fleet, waitedMs, openedEpochMs, recall } = label
        expect(parseLabel(formatLabel(label))).toMatchObject({
          fleet,
          waitedMs,
          ...(recall === undefined ? {} : { recall }),
          openedEpochMs: Math.floor(openedEpochMs / 1_000) * 1_000,
        })
      }),
    )
  })

  it('cuts a long name, and nothing else', () => {
    const label = {
      fleet: 'f'.repeat(20),
      name: 'n'.repeat(200),
      waitedMs: 900_000,
      openedEpochMs: 1_800_000_000_000,
    }
    const text = formatLabel(label)
    expect(text).toHaveLength(63)
    expect(parseLabel(text)?.name).toMatch(/^n{20,}$/)
  })

  it('never carries a negative wait', () => {
    expect(formatLabel({ fleet: 'a', name: 'b', waitedMs: -5, openedEpochMs: 0 })).toBe('lh:a:0:0:b')
  })

  it.each([
    'psql',
    '',
    'lh',
    'lh:shop',
    'lh:shop:12',
    'LH:shop:12:abc:x',
    'lh:shop:soon:abc:x',
    'lh:shop:Infinity:abc:x',
    'lh:shop:12:::',
    'lh:shop:-5:abc:x',
    'lh:shop:1e3:abc:x',
    'lh:shop:0x10:abc:x',
    'lh:shop::abc:x',
    'lh:shop:12:a!b:x',
    'lh:shop:12:abc.:x',
    'lh:shop:12:abc.15:x',
    'lh:shop:12:abc.15.-1:x',
    'lh:shop:12:abc.15.900.1:x',
  ])('is not seen in the name of somebody else’s session: %j', (text) => {
    expect(parseLabel(text)).toBeUndefined()
  })

  it('is read from any text without throwing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((tail) => `lh:${tail}`),
        ),
        (text) => {
          const label = parseLabel(text)
          if (label === undefined) return
          expect(label.waitedMs).toBeGreaterThanOrEqual(0)
          expect(label.openedEpochMs).toBeGreaterThanOrEqual(0)
        },
      ),
      { numRuns: 500 },
    )
  })
})
