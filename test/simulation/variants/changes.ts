// Changes to the policy that were tried, as changes to core's text. What is adopted goes from here.

export interface Change {
  /** In core's `src`. */
  readonly file: string
  readonly from: string
  readonly to: string
}

export interface Variant {
  readonly about: string
  readonly changes: readonly Change[]
}

const KEEPING = 'policy-keeping.ts'
const WAITING = 'policy-waiting.ts'

const constant = (file: string, name: string, from: string, to: string): Change => ({
  file,
  from: `const ${name} = ${from}\n`,
  to: `const ${name} = ${to}\n`,
})

const polls = (count: number): Change => ({
  file: WAITING,
  from: 'const USUAL_ASKING: Asking = { polls: 6,',
  to: `const USUAL_ASKING: Asking = { polls: ${count},`,
})

export const VARIANTS: ReadonlyMap<string, Variant> = new Map([
  ['polls-3', { about: 'half as many attempts in a wait', changes: [polls(3)] }],
  ['polls-4', { about: 'four attempts in a wait', changes: [polls(4)] }],
  [
    'known-30s',
    {
      about: 'the fleet wait that was learnt counts for half a minute, not for eight seconds',
      changes: [
        {
          file: WAITING,
          from: 'return viewAgeMs <= Math.max(STALE_VIEW_MS,',
          to: 'return viewAgeMs <= Math.max(30_000,',
        },
      ],
    },
  ],
  [
    'all-cold',
    {
      about: 'the rest after any refused attempt is bounded by the cap',
      changes: [
        {
          file: WAITING,
          from: 'if (attempts === 1) return Math.min(usualRestMs, backoffCapMs)',
          to: 'if (attempts > 0) return Math.min(usualRestMs, backoffCapMs)',
        },
      ],
    },
  ],
  ['polls-12', { about: 'twice as many attempts in a wait', changes: [polls(12)] }],
  [
    'short-naps',
    {
      about: 'no delay longer than 500 ms where the wait is known',
      changes: [
        {
          file: WAITING,
          from: '    delayMs = (known / askingOf(state, known).polls) * age * (0.5 + random.next())\n',
          to: '    delayMs = Math.min((known / askingOf(state, known).polls) * age, 500) * (0.5 + random.next())\n',
        },
      ],
    },
  ],
  [
    'patient',
    {
      about: 'where the wait is not known, the window grows with the time waited already',
      changes: [
        {
          file: WAITING,
          from: '    const window = Math.min(limits.backoffCapMs, growing,',
          to: '    const window = Math.min(Math.max(limits.backoffCapMs, state.waitedMs / 3), growing,',
        },
      ],
    },
  ],
  [
    'gap-unknown',
    {
      about:
        'an environment that was never asked twice on one connection gives the slot back at once where others wait',
      changes: [
        {
          file: KEEPING,
          from: '  if (state.heldMs < shortened(',
          to: "  if (view.waiting && state.gapMs === 0) return 'yield'\n  if (state.heldMs < shortened(",
        },
      ],
    },
  ],
  [
    'own-wait',
    {
      about: 'where the server does not show how long others waited (MySQL), the own last wait stands for it',
      changes: [
        {
          file: 'knowledge.ts',
          from: '    const view = viewOf(census, this.#options.fleet, sent.epochMs, this.#refusedCount)\n',
          to:
            '    const seen = viewOf(census, this.#options.fleet, sent.epochMs, this.#refusedCount)\n' +
            '    const view = seen.waiting && seen.typicalWaitMs === undefined && this.ownWaitMs > 0 ? { ...seen, typicalWaitMs: this.ownWaitMs } : seen\n',
        },
        {
          file: 'knowledge.ts',
          from: '  /** An idle connection went,',
          to: '  ownWaitMs = 0\n\n  /** An idle connection went,',
        },
        {
          file: 'open.ts',
          from: '      return opened\n',
          to: '      knowledge.ownWaitMs = Math.min(queuedMs, 2_000)\n      return opened\n',
        },
      ],
    },
  ],
  [
    'quantum-200',
    { about: 'half the quantum', changes: [constant(KEEPING, 'MIN_QUANTUM_MS', '400', '200')] },
  ],
  [
    'quantum-800',
    {
      about: 'twice the quantum',
      changes: [
        constant(KEEPING, 'MIN_QUANTUM_MS', '400', '800'),
        constant(KEEPING, 'MAX_QUANTUM_MS', '500', '800'),
      ],
    },
  ],
])
