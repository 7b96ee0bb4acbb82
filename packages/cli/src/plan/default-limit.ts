/** What `max_connections` is by default: estimates, by the formulas that AWS publishes. */

import { UsageError } from '../target/usage.ts'
import { instanceSize } from './instance-class.ts'

export const PLAN_ENGINES = ['postgresql', 'mysql', 'mariadb', 'aurora-postgresql', 'aurora-mysql'] as const
export type PlanEngine = (typeof PLAN_ENGINES)[number]

/** A limit that nobody has read from a server. */
export interface EstimatedLimit {
  readonly maxConnections: number
  readonly cores: number
  /** The formula or table, for people. */
  readonly source: string
}

const GIB = 1_073_741_824

/**
 * `DBInstanceClassMemory` is what is left of the nominal memory once operating system and management are
 * served; AWS publishes no formula. These two fit what it says of db.t4g.medium (405), db.t3.medium (420),
 * db.r6g.large (1 722) and db.r6g.xlarge (3 479).
 */
const KEPT_GIB = 0.23
const KEPT_SHARE = 0.03

function memoryBytes(nominalGiB: number): number {
  return (nominalGiB * (1 - KEPT_SHARE) - KEPT_GIB) * GIB
}

interface Formula {
  readonly text: string
  readonly of: (bytes: number) => number
}

const POSTGRESQL: Formula = {
  text: 'LEAST({DBInstanceClassMemory/9531392}, 5000)',
  of: (bytes) => Math.min(Math.floor(bytes / 9_531_392), 5_000),
}

/** Source: Amazon RDS User Guide, "Quotas and constraints"; for Aurora its own guide. */
const FORMULAS: Readonly<Record<PlanEngine, Formula>> = {
  postgresql: POSTGRESQL,
  'aurora-postgresql': POSTGRESQL,
  mysql: {
    text: '{DBInstanceClassMemory/12582880}',
    of: (bytes) => Math.min(Math.floor(bytes / 12_582_880), 100_000),
  },
  mariadb: {
    text: 'LEAST({DBInstanceClassMemory/25165760}, 12000)',
    of: (bytes) => Math.min(Math.floor(bytes / 25_165_760), 12_000),
  },
  'aurora-mysql': {
    text: 'GREATEST({log(DBInstanceClassMemory/805306368)*45}, {log(DBInstanceClassMemory/8187281408)*1000})',
    // In AWS's own table there are whole steps.
    of: (bytes) =>
      Math.min(
        Math.max(
          Math.floor(Math.log2(bytes / 805_306_368)) * 45,
          Math.round(Math.log2(bytes / 8_187_281_408)) * 1_000,
        ),
        16_000,
      ),
  },
}

/** @throws UsageError for a class that is not known */
export function limitOfInstance(instanceClass: string, engine: PlanEngine): EstimatedLimit {
  const { nominalGiB, cores } = instanceSize(instanceClass)
  const { text, of } = FORMULAS[engine]
  const maxConnections = of(memoryBytes(nominalGiB))
  if (maxConnections < 10) {
    throw new UsageError(`${instanceClass} has too little memory for ${engine}: choose a larger class`)
  }
  const source = `${text}, with ${((1 - KEPT_SHARE) * nominalGiB - KEPT_GIB).toFixed(1)} of the ${nominalGiB} GiB of ${instanceClass}`
  return { maxConnections, cores, source }
}

type Step = readonly [acu: number, maxConnections: number]

/** By the greatest capacity. Source: Amazon Aurora User Guide, "Performance and scaling for Aurora Serverless v2". */
const SERVERLESS: Readonly<Record<'postgresql' | 'mysql', readonly Step[]>> = {
  postgresql: [
    [1, 189],
    [4, 823],
    [8, 1_669],
    [16, 3_360],
    [32, 5_000],
  ],
  mysql: [
    [1, 90],
    [4, 135],
    [8, 1_000],
    [16, 2_000],
    [32, 3_000],
    [64, 4_000],
    [128, 5_000],
  ],
}
const MOST_ACU = 256
/** With so little at the least, PostgreSQL gets no more. */
const SMALL_ACU = 0.5
const SMALL_MOST = 2_000
/** Two GiB and the processors that go with them: as many GiB a processor as in r classes. */
const ACU_PER_CORE = 4

/** @param acu `0.5-16`, or `16` for the greatest alone. @throws UsageError */
export function limitOfServerless(acu: string, engine: PlanEngine): EstimatedLimit {
  const [, least, greatest] = /^(?:(\d+(?:\.5)?)-)?(\d+(?:\.5)?)$/.exec(acu) ?? []
  const most = Number(greatest)
  if (greatest === undefined || most < 1 || most > MOST_ACU || Number(least ?? 0) > most) {
    throw new UsageError(`--acu must be the capacity's range like 0.5-16, up to ${MOST_ACU}, got \`${acu}\``)
  }
  if (engine === 'mariadb') throw new UsageError('Aurora Serverless is not to be had for MariaDB')
  const isPostgres = engine.endsWith('postgresql')
  const steps = SERVERLESS[isPostgres ? 'postgresql' : 'mysql']
  const byTable = isPostgres ? between(steps, most) : below(steps, most)
  const isSmall = isPostgres && least !== undefined && Number(least) <= SMALL_ACU
  return {
    maxConnections: isSmall ? Math.min(byTable, SMALL_MOST) : byTable,
    cores: Math.max(1, Math.round(most / ACU_PER_CORE)),
    source:
      `AWS's table for Aurora Serverless v2 at ${most} ACU at most` +
      (isSmall ? `, ${SMALL_MOST.toLocaleString('en')} at most as the least is ${least} ACU` : ''),
  }
}

/** PostgreSQL's table is a straight line up to its end. */
function between(steps: readonly Step[], acu: number): number {
  const above = steps.findIndex(([stepAcu]) => stepAcu >= acu)
  const [upperAcu, upper] = (above === -1 ? steps.at(-1) : steps[above]) as Step
  if (above <= 0) return upper
  const [lowerAcu, lower] = steps[above - 1] as Step
  return Math.floor(lower + ((upper - lower) * (acu - lowerAcu)) / (upperAcu - lowerAcu))
}

/** MySQL's goes in leaps, and nobody says where. */
function below(steps: readonly Step[], acu: number): number {
  return steps.findLast(([stepAcu]) => stepAcu <= acu)?.[1] ?? 0
}
