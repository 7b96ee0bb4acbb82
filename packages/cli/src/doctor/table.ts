/** The page of the docs about faults, made of the code's own lists. PURE. */

import { FAULTS } from './faults.ts'
import { QUESTIONS, STEP_NAMES } from './step-names.ts'

/** A section for each step that can find a fault: what it asks, and a table of what may be wrong. */
export function faultSections(): string {
  const sections = STEP_NAMES.map((step) => section(step, QUESTIONS[step], rowsOf(step)))
  const anywhere = section('any', 'At every question that is asked of the server.', rowsOf('any'))
  return [...sections, anywhere].join('\n\n')
}

function rowsOf(of: string): readonly string[] {
  return Object.entries(FAULTS).flatMap(([code, { meaning, remedy, step }]) =>
    step === of ? [`| \`${code}\` | ${escaped(meaning)} | ${escaped(remedy)} |`] : [],
  )
}

function section(title: string, question: string, rows: readonly string[]): string {
  const head = `### ${title}\n\n${question}`
  if (rows.length === 0) return head
  return [head, '', '| fault | what it means | how to mend it |', '| --- | --- | --- |', ...rows].join('\n')
}

function escaped(text: string): string {
  return text.replaceAll('|', String.raw`\|`)
}
