// What real errors mean.
import { expect } from 'vitest'

import { type Case } from './case.ts'

export const classification: readonly Case[] = [
  {
    name: 'sees in specimens of real errors what they mean',
    run: async (subject) => {
      const seen: Record<string, string> = {}
      const expected: Record<string, string> = {}
      for (const specimen of subject.specimens()) {
        seen[specimen.name] = subject.classify(await specimen.raise())
        expected[specimen.name] = specimen.kind
      }
      expect(seen).toEqual(expected)
      expect(Object.keys(seen).length).toBeGreaterThan(0)
    },
  },
]
