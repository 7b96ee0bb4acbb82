/** The options of a source, checked in one pass: every problem in one error. */

import { LeaseholdError } from '../errors.ts'
import { suggest } from '../options/suggest.ts'

export type Rule =
  | { readonly kind: 'text' | 'yesNo' | 'object' | 'identity' | 'function' }
  | { readonly kind: 'wholeMs' | 'whole'; readonly min: number; readonly max: number }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }

/** @throws LeaseholdError `INVALID_OPTIONS` with every problem, one a line, and no value in it */
export function checkOptions(
  source: string,
  given: unknown,
  rules: Readonly<Record<string, Rule>>,
  problems: readonly string[] = [],
): void {
  const found = [...problems]
  if (typeof given !== 'object' || given === null) {
    found.push('the options must be an object')
  } else {
    for (const [name, value] of Object.entries(given)) {
      const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
      if (rule === undefined) found.push(unknown(name, Object.keys(rules)))
      else if (value !== undefined && !passes(rule, value)) found.push(`\`${name}\` must be ${wanted(rule)}`)
    }
  }
  if (found.length > 0) {
    throw new LeaseholdError('INVALID_OPTIONS', `invalid options of ${source}:\n - ${found.join('\n - ')}`)
  }
}

function unknown(name: string, known: readonly string[]): string {
  const meant = suggest(name, known)
  return `unknown option \`${name}\`${meant === undefined ? '' : ` (did you mean \`${meant}\`?)`}`
}

function passes(rule: Rule, value: unknown): boolean {
  switch (rule.kind) {
    case 'text':
      return typeof value === 'string' && value !== ''
    case 'yesNo':
      return typeof value === 'boolean'
    case 'object':
      return typeof value === 'object' && value !== null
    case 'identity':
      return typeof value === 'function' || (typeof value === 'object' && value !== null)
    case 'function':
      return typeof value === 'function'
    case 'choice':
      return typeof value === 'string' && rule.choices.includes(value)
    case 'whole':
    case 'wholeMs':
      return typeof value === 'number' && Number.isInteger(value) && value >= rule.min && value <= rule.max
  }
}

function wanted(rule: Rule): string {
  switch (rule.kind) {
    case 'text':
      return 'a string that is not empty'
    case 'yesNo':
      return 'true or false'
    case 'object':
      return 'an object'
    case 'identity':
      return 'AWS credentials, or a function that resolves to them'
    case 'function':
      return 'a function'
    case 'choice':
      return rule.choices.map((choice) => `'${choice}'`).join(' or ')
    case 'whole':
      return `a whole number from ${rule.min} to ${rule.max}`
    case 'wholeMs':
      return `a whole number of milliseconds from ${rule.min} to ${rule.max}`
  }
}
