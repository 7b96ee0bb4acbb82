/** One variable of the environment: its name, what it may be, and how its text is read. */

import { checkOption, defaultOf, type Field, rangeOf } from '@leasehold/core'

export interface Variable {
  readonly name: string
  /** For the table. */
  readonly unset: string
  readonly values: string
  readonly summary: string
  /** Returns what the text stands for. @throws {Problem} where that is nothing */
  read(text: string): unknown
}

/** What is wrong with a variable: names it and says what it must be. */
export class Problem extends Error {}

/** A variable that is a field of the options' table, or one of the same make. */
export function ofField(name: string, field: Field): Variable {
  return {
    name,
    unset: defaultOf(field),
    values: rangeOf(field),
    summary: field.summary,
    read: (text) => {
      const value = valueIn(field, text)
      const problem = checkOption(name, field, value)
      if (problem !== undefined) throw new Problem(problem)
      return value
    },
  }
}

const YES: readonly string[] = ['true', '1', 'on', 'yes']
const NO: readonly string[] = ['false', '0', 'off', 'no']

/** The value as an option has it; text that is none stays what it is, for the check to say so. */
function valueIn(field: Field, text: string): unknown {
  const plain = text.trim()
  switch (field.kind) {
    case 'wholeMs':
    case 'share':
    case 'count':
      return /^-?\d+(?:\.\d+)?$/.test(plain) ? Number(plain) : plain
    case 'switch':
      if (YES.includes(plain.toLowerCase())) return true
      return NO.includes(plain.toLowerCase()) ? false : plain
    default:
      return plain
  }
}

/** A variable that stands for what an option takes as an object or a function. */
export function ofText(
  parts: Omit<Variable, 'read'>,
  takes: (text: string) => unknown,
  must: string,
): Variable {
  return {
    ...parts,
    read: (text) => {
      const value = takes(text.trim())
      if (value === undefined) throw new Problem(`\`${parts.name}\` must be ${must}`)
      return value
    },
  }
}
