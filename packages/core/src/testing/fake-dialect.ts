/** The fake server's tongue: a dialect for the governor, and the reading of it for the server. */

import type { Census } from '../census.ts'
import type { CensusAndLease, Dialect } from '../dialect.ts'
import { codeOf } from '../errors.ts'
import type { LeaseStep } from '../policy.ts'
import type { RecallAsk, RecallPlan } from '../recall-plan.ts'
import { classifyFakeError } from './fake-errors.ts'
import type { FakeRecall, FakeRecallRow } from './fake-recall.ts'

const CENSUS = 'leasehold census '
const LEASE = 'leasehold lease '
const RECALL = 'leasehold recall '

/** The one row that a census statement returns. */
export interface FakeCensusRow extends Census {
  readonly leaseMs: number | undefined
}

/**
 * The dialect that goes with `FakeServer`. Leases are held to the millisecond. It says of itself
 * that it is PostgreSQL, because an engine has to be one of the real ones.
 */
export const fakeDialect: Dialect = {
  engine: 'postgresql',
  leaseGranularityMs: 1,
  classify: classifyFakeError,
  refusesLease: (error) => codeOf(error) === 'FAKE_LEASE_REFUSED',
  provesUnread: (error) => codeOf(error) === 'FAKE_LAPSED',
  begin: ({ isolation, readOnly }) => [
    `begin${isolation === undefined ? '' : ` isolation level ${isolation}`}${readOnly === true ? ' read only' : ''}`,
  ],
  censusAndLease: (leaseMs, ladder) => CENSUS + JSON.stringify({ leaseMs, ladder }),
  setLease: (leaseMs) => LEASE + String(leaseMs),
  parseCensus: parseFakeCensus,
  recall,
}

function* recall({ fleet, terms, mostCount, limit, abovePressure }: RecallAsk): RecallPlan {
  const asked = { fleet, terms, mostCount, limit, abovePressure } satisfies FakeRecall
  const [row] = yield RECALL + JSON.stringify(asked)
  return row as FakeRecallRow
}

function parseFakeCensus(rows: readonly unknown[]): CensusAndLease {
  const [row] = rows
  if (!isCensusRow(row)) throw new TypeError('the census did not return its one row of counts')
  const { leaseMs, ...census } = row
  return { census, leaseMs }
}

function isCensusRow(row: unknown): row is FakeCensusRow {
  return typeof row === 'object' && row !== null && 'usedCount' in row && 'slotCount' in row
}

/** A statement of the governor's, as the server understands it. */
export type OwnStatement =
  | { readonly kind: 'census'; readonly leaseMs: number; readonly ladder: readonly LeaseStep[] }
  | { readonly kind: 'lease'; readonly leaseMs: number }
  | { readonly kind: 'recall'; readonly asked: FakeRecall }

/** Undefined for a statement of the application's. */
export function readOwnStatement(text: string): OwnStatement | undefined {
  if (text.startsWith(LEASE)) return { kind: 'lease', leaseMs: Number(text.slice(LEASE.length)) }
  if (text.startsWith(RECALL)) return { kind: 'recall', asked: JSON.parse(text.slice(RECALL.length)) }
  if (!text.startsWith(CENSUS)) return undefined
  const asked: { leaseMs: number; ladder: LeaseStep[] } = JSON.parse(text.slice(CENSUS.length))
  return { kind: 'census', ...asked }
}

/** A statement of the governor's, or a ping. */
export function isOwn(text: string): boolean {
  return text === '' || [CENSUS, LEASE, RECALL].some((own) => text.startsWith(own))
}

/** The lease that the counts call for, as the server works it out. */
export function leaseIn(
  ladder: readonly LeaseStep[],
  usedCount: number,
  slotCount: number,
): number | undefined {
  if (usedCount >= slotCount) return ladder.at(-1)?.leaseMs
  return ladder.findLast((step) => usedCount >= step.fromPressure * slotCount)?.leaseMs
}
