// The dialect of the simulated server: its statements are told apart by their first word.
import type { Census, Dialect, LeaseStep } from '@leasehold/core'

import type { EngineName } from '../costs.ts'
import type { Server } from '../server.ts'
import type { Session } from '../session.ts'

/** What the server says for want of a slot. */
export const REFUSED: { readonly code: string } = { code: '53300' }

interface CensusRow {
  readonly census: Census
  readonly leaseMs: number | undefined
}

export class SimulatedDialect implements Dialect {
  readonly engine: EngineName
  readonly leaseGranularityMs: number
  readonly begin: Dialect['begin'] = () => []
  readonly #fleet: string

  constructor(engine: EngineName, fleet: string) {
    this.engine = engine
    this.leaseGranularityMs = engine === 'mysql' ? 1_000 : 1
    this.#fleet = fleet
  }

  classify(error: unknown): 'saturated' | 'lost' {
    return (error as { code?: unknown }).code === REFUSED.code ? 'saturated' : 'lost'
  }

  refusesLease(): boolean {
    return false
  }

  provesUnread(): boolean {
    return true
  }

  censusAndLease(leaseMs: number): string {
    return `census ${leaseMs}`
  }

  setLease(leaseMs: number, heldMs: number): string {
    return `lease ${leaseMs} ${heldMs}`
  }

  parseCensus(rows: readonly unknown[]): CensusRow {
    return rows[0] as CensusRow
  }

  /** The server's part: runs one statement of the product's, once its CPU time has been spent. */
  answer(
    server: Server,
    session: Session,
    statement: string,
    ladder: readonly LeaseStep[],
  ): readonly unknown[] {
    const [word, first, second] = statement.split(' ')
    const isMysql = this.engine === 'mysql'
    if (word === 'lease') {
      if (isMysql || session.leaseMs === Number(second)) server.setLease(session, Number(first))
      return []
    }
    server.censusCount += 1
    const census = server.census(this.#fleet)
    if (isMysql) return [{ census, leaseMs: session.leaseMs }]
    const isHeld = session.leaseMs === Math.round(Number(first))
    if (isHeld) server.setLease(session, server.leaseByCount(ladder))
    return [{ census, leaseMs: isHeld ? session.leaseMs : undefined }]
  }

  /** MySQL's first statement where nobody was refused: the server chooses the lease by its own count. */
  openWithCensus(server: Server, session: Session, ladder: readonly LeaseStep[]): void {
    server.setLease(session, Math.ceil(server.leaseByCount(ladder) / 1_000) * 1_000)
  }
}
