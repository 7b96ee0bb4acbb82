// Who is measured, and the one colour each has in every chart: Okabe and Ito's palette, told apart by the colour-blind.

export interface Subject {
  readonly title: string
  readonly colour: string
}

const SERVERLESS_COLOUR = '#cc79a7'

const SUBJECTS: Readonly<Record<string, Subject>> = {
  leasehold: { title: 'Leasehold', colour: '#0072b2' },
  'leasehold-enter': { title: 'Leasehold, told of each invocation', colour: '#56b4e9' },
  bare: { title: 'bare pool', colour: '#d55e00' },
  'per-invocation': { title: 'connect per invocation', colour: '#e69f00' },
  'serverless-postgres': { title: 'serverless-postgres', colour: SERVERLESS_COLOUR },
  'serverless-mysql': { title: 'serverless-mysql', colour: SERVERLESS_COLOUR },
  pgbouncer: { title: 'PgBouncer', colour: '#009e73' },
  // Of the simulator.
  oracle: { title: 'oracle', colour: '#8a8a8a' },
  proxy: { title: 'central queue', colour: '#009e73' },
}

export function subjectOf(name: string): Subject {
  return SUBJECTS[name] ?? { title: name, colour: '#6e7781' }
}
