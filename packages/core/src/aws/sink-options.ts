/** The options that both sinks of CloudWatch have. */

import { METRICS } from '../metrics.ts'
import type { Rule } from './check.ts'

export const NAMESPACE: Rule = { kind: 'text' }
export const EVERY_MS: Rule = { kind: 'wholeMs', min: 1_000, max: 900_000 }
export const ONLY: Rule = { kind: 'object' }

/** What a rule of one value cannot say. Source: CloudWatch's rules for namespaces. */
export function onlyProblems(options: unknown): string[] {
  const problems: string[] = []
  const { namespace, only } = (options ?? {}) as { namespace?: unknown; only?: unknown }
  if (namespace === undefined) problems.push('`namespace` is missing')
  if (typeof namespace === 'string' && !/^(?!AWS\/|:| +$)[\w.\-/#: ]{0,255}$/.test(namespace)) {
    problems.push(
      '`namespace` must be 1 to 255 letters, digits or any of "_.-/#: ", and not begin with "AWS/" or ":"',
    )
  }
  if (only === undefined) return problems
  if (!Array.isArray(only)) return [...problems, '`only` must be a list of names of metrics']
  const unknown = only.filter((name) => typeof name !== 'string' || !Object.hasOwn(METRICS, name))
  if (unknown.length > 0) problems.push(`\`only\` has ${unknown.length} names that are not metrics'`)
  return problems
}
