// In which order subjects run: those that are compared take turns, in rounds that go back and forth.
import { MEASURED, type Subject } from './measured.ts'
import type { EngineName } from './result.ts'
import type { Scenario } from './scenarios.ts'

export interface Turn {
  readonly round: number
  readonly subject: Subject
}

/** The two whose ratio is told. Everybody else runs in the first round only, unless asked for by name. */
const COMPARED: readonly string[] = ['leasehold', 'pgbouncer']

export function turnsOf(
  scenario: Scenario,
  engine: EngineName,
  {
    subjects,
    pairs,
  }: { readonly subjects: readonly string[] | undefined; readonly pairs: number | undefined },
): readonly Turn[] {
  const runsHere = ({ name, engines, isExtra }: Subject): boolean => {
    if (!engines.includes(engine)) return false
    const { only, also = [] } = scenario.subjects ?? {}
    if (only !== undefined) return only.includes(name) && (subjects?.includes(name) ?? true)
    return subjects === undefined ? !isExtra || also.includes(name) : subjects.includes(name)
  }
  const here = MEASURED.filter(runsHere)
  const rounds = pairs ?? scenario.pairs ?? 1
  return Array.from({ length: rounds }, (_, index) => index + 1).flatMap((round) => {
    const inRound = here.filter(
      ({ name }) => round === 1 || subjects !== undefined || COMPARED.includes(name),
    )
    return (round % 2 === 1 ? inRound : inRound.toReversed()).map((subject) => ({ round, subject }))
  })
}
