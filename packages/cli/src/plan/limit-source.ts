/** Where the limit comes from: given, estimated, or asked of the server, whose own figure wins. */

import type { Command } from 'commander'

import type { Io } from '../io.ts'
import { targetArguments } from '../target/arguments.ts'
import { readTarget } from '../target/read-target.ts'
import { UsageError } from '../target/usage.ts'
import type { PlanArguments } from './arguments.ts'
import {
  type EstimatedLimit,
  limitOfInstance,
  limitOfServerless,
  PLAN_ENGINES,
  type PlanEngine,
} from './default-limit.ts'
import type { PlanOptions } from './options.ts'
import { limitOfServer } from './server-limit.ts'

type LimitPart = 'maxConnections' | 'engine' | 'reservedCount' | 'loginLimitCount' | 'otherCount' | 'cores'

export interface KnownLimit extends Pick<PlanOptions, LimitPart> {
  /** For people: what it rests on. */
  readonly source: string
  readonly isEstimate: boolean
}

/** RDS and Aurora keep these besides PostgreSQL's own three: `rds.rds_superuser_reserved_connections`. */
const RDS_RESERVED_COUNT = 5

/** @throws UsageError */
export async function limitOf(
  given: PlanArguments,
  url: string | undefined,
  command: Command,
  io: Io,
): Promise<KnownLimit> {
  const { maxConnections, instanceClass, acu } = given
  const sources = {
    '--max-connections': maxConnections,
    '--instance-class': instanceClass,
    '--acu': acu,
    'a URL': url,
  }
  const named = Object.entries(sources).filter(([, value]) => value !== undefined)
  if (named.length > 1) {
    throw new UsageError(
      `the limit comes from one of these: ${named.map(([name]) => name).join(', ')}; leave the others out`,
    )
  }
  if (maxConnections !== undefined) {
    const engine = engineOf(given)
    return {
      maxConnections,
      engine: protocolOf(engine),
      source: 'given by --max-connections',
      isEstimate: false,
    }
  }
  if (instanceClass !== undefined) return estimated(limitOfInstance(instanceClass, engineOf(given)), given)
  if (acu !== undefined) return estimated(limitOfServerless(acu, engineOf(given)), given)
  return ofServer(url, command, io)
}

function estimated(limit: EstimatedLimit, given: PlanArguments): KnownLimit {
  const { maxConnections, cores, source } = limit
  const engine = protocolOf(engineOf(given))
  return {
    maxConnections,
    cores,
    engine,
    ...(engine === 'postgresql' ? { reservedCount: RDS_RESERVED_COUNT } : {}),
    source: `estimated: ${source}; \`show max_connections\` says what it is`,
    isEstimate: true,
  }
}

async function ofServer(url: string | undefined, command: Command, io: Io): Promise<KnownLimit> {
  const target = await readTarget(targetArguments(command, url, io.env), io).catch((error: unknown) => {
    if (!(error instanceof UsageError) || !error.message.startsWith('which server')) throw error
    throw new UsageError(
      'which limit? Give --max-connections, --instance-class with --engine, --acu with --engine, or a server: its URL, --host with --engine, --options, or the PG… or MYSQL_… variables',
    )
  })
  const { engine, ...limit } = await limitOfServer(target, io)
  return {
    ...limit,
    engine: protocolOf(engine),
    source: `read from the server (${engine})`,
    isEstimate: false,
  }
}

const ALIASES: Readonly<Record<string, PlanEngine>> = { postgres: 'postgresql', aurora: 'aurora-postgresql' }

function engineOf({ engine = 'postgresql', aurora = false, instanceClass, acu }: PlanArguments): PlanEngine {
  const name = engine.toLowerCase()
  const plain = ALIASES[name] ?? PLAN_ENGINES.find((known) => known === name)
  if (plain === undefined) {
    throw new UsageError(`--engine must be one of ${PLAN_ENGINES.join(', ')}, got \`${engine}\``)
  }
  if (!aurora || plain.startsWith('aurora')) return plain
  if (plain === 'mariadb') throw new UsageError('there is no Aurora for MariaDB: leave --aurora out')
  if (instanceClass === undefined && acu === undefined)
    throw new UsageError('--aurora goes with --instance-class')
  return plain === 'mysql' ? 'aurora-mysql' : 'aurora-postgresql'
}

function protocolOf(engine: PlanEngine): 'postgresql' | 'mysql' {
  return engine.endsWith('postgresql') ? 'postgresql' : 'mysql'
}
