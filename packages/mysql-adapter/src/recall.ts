/** How MySQL and MariaDB end the fleet's longest-idle sessions. */

import type { RecallAsk, RecallOutcome, RecallPlan } from '@leasehold/core'

import { countOwn, OWN_USER } from './census.ts'
import { limitInMark, reaperLock } from './recall-mark.ts'

/** What this pool has found out of its server and login. */
export interface RecallSight {
  /** The login may see open transactions (PROCESS); assumed until the server refuses. */
  transactions: boolean
  /** MySQL: `performance_schema` is on; undefined until asked. */
  performanceSchema: boolean | undefined
}

export function newSight(): RecallSight {
  return { transactions: true, performanceSchema: undefined }
}

/** ER_SPECIFIC_ACCESS_DENIED_ERROR: PROCESS is needed to see transactions. */
const NEEDS_PROCESS = 1227
/** ER_NO_SUCH_THREAD, ER_KILL_DENIED_ERROR: it has ended by itself, or was never ours to end. */
const NOT_ENDED: readonly number[] = [1094, 1095]
/** What was seen is acted upon within this time, by the server's clock: a frozen reaper must not wake up and kill. */
const SEEN_WITHIN_S = 0.1

/** No lease is longer, so no session of ours has been idle for longer: MySQL counts from `@@timestamp` where that was set. */
const LONGEST_IDLE_MS = 900_000
const TRANSACTIONS = 'information_schema.innodb_trx'
/**
 * The server goes on showing old transactions for as long as it is asked again within 0.1 s. It showed the newest
 * of these when that had begun, or later; hence one of our own is begun first.
 */
const NEWEST = `(select max(trx_started) from ${TRANSACTIONS})`

/** In the zone of `trx_started`, whatever the session's. */
function systemTime(digits: number): string {
  return `convert_tz(sysdate(${digits}), @@session.time_zone, 'SYSTEM')`
}

function errnoOf(error: unknown): unknown {
  return (error as { errno?: unknown } | null | undefined)?.errno
}

interface Idle {
  /** SQL for how long the session `p` has been idle, in milliseconds. */
  readonly ms: string
  /** By how much that may be too much. */
  readonly slackMs: number
  /** SQL for whether open transactions were looked at since `p` became idle. */
  readonly fresh: string
}

/**
 * Of this login, marked, and idle: outside a transaction where the login may see them, else for longer than an
 * invocation of its function lasts.
 */
function recallable(asked: RecallAsk, sight: RecallSight, { ms, slackMs, fresh }: Idle): string {
  const limit = limitInMark('p.id', asked.fleet, asked.terms)
  const forLong = `${ms} > 1000 * ${limit} + ${slackMs}`
  const outside = sight.transactions
    ? `p.id not in (select trx_mysql_thread_id from ${TRANSACTIONS}) and if(${fresh}, ${limit} is not null, ${forLong})`
    : forLong
  return (
    `p.user = ${OWN_USER} and p.id <> connection_id() and p.command = 'Sleep' and ` +
    `${ms} between ${asked.terms.afterIdleMs + slackMs} and ${LONGEST_IDLE_MS + slackMs} and ${outside}`
  )
}

interface Counts {
  readonly used: string
  /** Null where there is no such limit (any more). */
  readonly slots: string
}

/** SQL for the counts of the limit that is short. No database has one here. */
function counts({ limit }: RecallAsk, list: string, statusTable: string): Counts {
  if (limit === 'login') return { used: countOwn(list), slots: 'nullif(@@max_user_connections, 0)' }
  return {
    used: `(select variable_value from ${statusTable} where variable_name = 'Threads_connected')`,
    slots: '@@max_connections',
  }
}

/** Does the same without open transactions where the login may not see them, and remembers. */
function* withSight(asked: RecallAsk, sight: RecallSight, plan: () => RecallPlan): RecallPlan {
  try {
    return yield* withoutLock(asked, plan)
  } catch (error) {
    if (!sight.transactions || errnoOf(error) !== NEEDS_PROCESS) throw error
    sight.transactions = false
    return yield* withoutLock(asked, plan)
  }
}

/** What failed may have left the lock to this session, which lives on: nobody else could recall. */
function* withoutLock({ fleet }: RecallAsk, plan: () => RecallPlan): RecallPlan {
  try {
    return yield* plan()
  } catch (error) {
    try {
      yield release(fleet)
    } catch {
      // Lost with its session, then.
    }
    throw error
  }
}

function release(fleet: string): string {
  return `do release_lock(${reaperLock(fleet)})`
}

/** MariaDB: one statement that looks, chooses, looks at each again, and ends it. */
export function* recallOnMariadb(asked: RecallAsk, sight: RecallSight): RecallPlan {
  const list = 'information_schema.processlist'
  const { used, slots } = counts(asked, list, 'information_schema.global_status')
  // Begun and over before anything is ended: a transaction of our own shows how fresh the list of them is.
  const lookAtTransactions = `set transaction isolation level repeatable read;
      start transaction with consistent snapshot;
      set newest = ${NEWEST};
      commit and no chain no release;`
  const fresh = `newest > ${systemTime(6)} - interval 1000 * p.time_ms microsecond`
  const statement = (): string => `begin not atomic
  declare ended, alone, most int default 0;
  declare newest datetime;
  set alone = get_lock(${reaperLock(asked.fleet)}, 0);
  if alone = 1 then
    begin
      declare exit handler for sqlexception begin
        rollback and no chain no release; ${release(asked.fleet)}; resignal;
      end;
      ${sight.transactions ? lookAtTransactions : ''}
      set most = least(${asked.mostCount}, ${used} - floor(${asked.abovePressure} * ${slots}));
      for one in (
        select p.id, p.query_id from ${list} p
        where ${recallable(asked, sight, { ms: 'p.time_ms', slackMs: 0, fresh })}
        order by p.time_ms desc limit ${asked.mostCount}
      ) do
        if ended < most and exists (
          select 1 from ${list} p
          where p.id = one.id and p.query_id = one.query_id and p.command = 'Sleep'
        ) then
          begin
            declare exit handler for ${NOT_ENDED.join(', ')} begin end;
            execute immediate concat('kill ', one.id);
            set ended = ended + 1;
          end;
        end if;
      end for;
      ${release(asked.fleet)};
    end;
  end if;
  select ended, alone;
end`
  return yield* withSight(asked, sight, function* () {
    const results = yield statement()
    // The rows, and the word that the block is over.
    const [rows] = results as readonly (readonly unknown[])[]
    const row = rows?.[0] as { ended?: unknown; alone?: unknown } | undefined
    return { endedCount: Number(row?.ended ?? 0), busy: Number(row?.alone ?? 0) !== 1 }
  })
}

/**
 * MySQL has no such block. Each session is looked for and ended by two statements, one right after the other,
 * and the second does nothing when it comes late.
 */
export function* recallOnMysql(asked: RecallAsk, sight: RecallSight): RecallPlan {
  let seen = sight
  if (sight.performanceSchema === undefined || sight.transactions) {
    const [row] = yield 'select @@performance_schema as watched, @@autocommit as commits'
    const { watched, commits } = (row ?? {}) as { watched?: unknown; commits?: unknown }
    sight.performanceSchema = Number(watched) === 1
    // How fresh the list of transactions is shows one of our own, which would stay open.
    if (Number(commits) !== 1) seen = { ...sight, transactions: false }
  }
  return yield* withSight(asked, seen, () => oneByOne(asked, seen))
}

function* oneByOne(asked: RecallAsk, sight: RecallSight): RecallPlan {
  const outcome = { endedCount: 0, busy: false } satisfies RecallOutcome as {
    endedCount: number
    busy: boolean
  }
  const ended: number[] = []
  while (ended.length < asked.mostCount && (ended.length === 0 || asked.goOn())) {
    const [found] = (yield lookForOne(asked, sight, ended)) as { id: unknown; alone: unknown; at: unknown }[]
    outcome.busy = Number(found?.alone) !== 1
    if (found === undefined || found.id === null) {
      yield release(asked.fleet)
      break
    }
    const id = Number(found.id)
    ended.push(id)
    try {
      yield endOne(asked.fleet, id, String(found.at))
      outcome.endedCount += 1
    } catch (error) {
      if (!NOT_ENDED.includes(errnoOf(error) as number)) throw error
    }
  }
  return outcome
}

/**
 * The longest-idle session there is to end, if this one is the only reaper. Where another is, and has been frozen
 * over it for as long as a session must be idle, it is that one.
 */
function lookForOne(asked: RecallAsk, sight: RecallSight, ended: readonly number[]): string {
  const lock = reaperLock(asked.fleet)
  const schema = sight.performanceSchema === true ? 'performance_schema' : 'information_schema'
  const list = `${schema}.processlist`
  const { used, slots } = counts(asked, list, 'performance_schema.global_status')
  // `time` counts whole seconds, from one clock's tick to another's.
  const fresh = `${NEWEST} >= ${systemTime(0)} - interval p.time - 2 second`
  const which = recallable(asked, sight, { ms: '1000 * p.time', slackMs: 1_000, fresh })
  const others = ended.length === 0 ? '' : ` and p.id not in (${ended.join(', ')})`
  const longest = `where ${which}${others} and ${used} > ${asked.abovePressure} * ${slots}`
  // To read what InnoDB keeps for the server begins a transaction, which is over with this statement.
  const begin = sight.transactions ? 'exists (select 1 from information_schema.character_sets) and ' : ''
  return (
    `select if(${begin}get_lock(${lock}, 0) = 1, (select p.id from ${list} p ${longest} order by p.time desc, p.id limit 1), ` +
    `(select p.id from ${list} p ${longest} and p.id = is_used_lock(${lock}))) as id, ` +
    `ifnull(is_used_lock(${lock}) = connection_id(), 0) as alone, unix_timestamp(sysdate(6)) as at`
  )
}

function endOne(fleet: string, id: number, at: string): string {
  const inTime = `unix_timestamp(sysdate(6)) - ${at} < ${SEEN_WITHIN_S}`
  return `kill if(ifnull(release_lock(${reaperLock(fleet)}), 0) >= 0 and ${inTime}, ${id}, 0)`
}
