/** An examination in words for people, and as JSON for programs. PURE: text in, text out. */

import { styleText } from 'node:util'

import type { Report, StepReport, StepStatus } from './examine.ts'
import { type FaultCode, faultOf } from './faults.ts'
import type { Finding } from './finding.ts'

/** How to colour a piece of text. */
export type Paint = (format: 'green' | 'yellow' | 'red' | 'dim' | 'bold', text: string) => string

export const plain: Paint = (_format, text) => text
export const coloured: Paint = (format, text) => styleText(format, text, { validateStream: false })

const MARKS: Readonly<Record<StepStatus, readonly [mark: string, format: Parameters<Paint>[0]]>> = {
  fine: ['ok', 'green'],
  warning: ['warning', 'yellow'],
  wrong: ['WRONG', 'red'],
  skipped: ['-', 'dim'],
  'not run': ['not run', 'dim'],
}

const MARK_WIDTH = 9
const NAME_WIDTH = 13
const INDENT = ' '.repeat(MARK_WIDTH + NAME_WIDTH + 2)

/** The lines of one step: a mark, its name, what was found, and how to mend it. */
export function stepLines({ findings, status, step }: StepReport, paint: Paint): string[] {
  const head = (of: StepStatus, name: string): string => {
    const [mark, format] = MARKS[of]
    return `  ${paint(format, mark.padEnd(MARK_WIDTH))}${name.padEnd(NAME_WIDTH)}`
  }
  if (status === 'not run') return [head('not run', step).trimEnd()]
  return findings.flatMap((finding, index) => [
    `${head(finding.status, index === 0 ? step : '')}${finding.summary}`,
    ...advice(finding, paint),
  ])
}

function advice(finding: Finding, paint: Paint): string[] {
  if (!('fault' in finding)) return []
  const { meaning, remedy } = faultOf(finding.fault)
  return [`${INDENT}${paint('bold', finding.fault)}: ${meaning}`, `${INDENT}${finding.remedy ?? remedy}`]
}

/** The last line: how many problems, and whether anything was left out. */
export function verdict({ steps }: Report, paint: Paint): string {
  const count = (status: StepStatus): number => steps.filter((step) => step.status === status).length
  const [wrongCount, warningCount, leftCount] = [count('wrong'), count('warning'), count('not run')]
  const parts = [
    wrongCount === 0
      ? paint('green', 'nothing is wrong')
      : paint('red', `${wrongCount} of ${steps.length} steps found something wrong`),
    ...(warningCount > 0 ? [`${warningCount} with a warning`] : []),
    ...(leftCount > 0 ? [`${leftCount} not run: they make no sense before that is mended`] : []),
  ]
  return parts.join('; ')
}

/** One finding as programs get it. */
interface FindingJson {
  readonly status: Finding['status']
  readonly fault?: FaultCode
  readonly summary: string
  readonly meaning?: string
  readonly remedy?: string
  readonly facts?: Finding['facts']
}

export function toJson(report: Report): string {
  const { isFine, place, steps } = report
  return JSON.stringify(
    {
      isFine,
      place,
      steps: steps.map(({ findings, ...step }) => ({ ...step, findings: findings.map(findingJson) })),
    },
    undefined,
    2,
  )
}

function findingJson(finding: Finding): FindingJson {
  if (!('fault' in finding)) return finding
  const { meaning, remedy } = faultOf(finding.fault)
  return { ...finding, meaning, remedy: finding.remedy ?? remedy }
}
