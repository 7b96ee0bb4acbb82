/** How MySQL and MariaDB end the fleet's longest-idle sessions. */

import type { RecallAsk, RecallOutcome, RecallPlan } from '@leasehold/core'

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

function errnoOf(error: unknown): unknown {
  return (error as { errno?: unknown } | null | undefined)?.errno
}

/**
 * Of this login, marked, and idle: outside a transaction where the login may see them, else for longer than an
 * invocation of its function lasts.
 *
 * @param idle SQL for how long a session has been idle, in whole milliseconds
 * @param slackMs by how much that may be too much
 */
function recallable(asked: RecallAsk, sight: RecallSight, idle: string, slackMs: number): string {
  const limit = limitInMark('p.id', asked.fleet, asked.terms)
  const outside = sight.transactions
    ? `${limit} is not null and p.id not in (select trx_mysql_thread_id from information_schema.innodb_trx)`
    : `${idle} > 1000 * ${limit} + ${slackMs}`
  return (
    `p.user = substring_index(user(), '@', 1) and p.id <> connection_id() and p.command = 'Sleep' ` +
    `and ${idle} >= ${asked.terms.afterIdleMs + slackMs} and ${outside}`
  )
}

function usedCount(statusTable: string): string {
  return `(select variable_value from ${statusTable} where variable_name = 'Threads_connected')`
}

/** Does the same without open transactions where the login may not see them, and remembers. */
function* withSight(sight: RecallSight, plan: () => RecallPlan): RecallPlan {
  try {
    return yield* plan()
  } catch (error) {
    if (!sight.transactions || errnoOf(error) !== NEEDS_PROCESS) throw error
    sight.transactions = false
    return yield* plan()
  }
}

/** MariaDB: one statement that looks, chooses, looks at each again, and ends it. */
export function* recallOnMariadb(asked: RecallAsk, sight: RecallSight): RecallPlan {
  const lock = reaperLock(asked.fleet)
  const statement = (): string => `begin not atomic
  declare ended, alone, most int default 0;
  set alone = get_lock(${lock}, 0);
  if alone = 1 then
    begin
      declare exit handler for sqlexception begin do release_lock(${lock}); resignal; end;
      set most = least(${asked.mostCount},
        ${usedCount('information_schema.global_status')} - floor(${asked.abovePressure} * @@max_connections));
      for one in (
        select p.id, p.query_id from information_schema.processlist p
        where ${recallable(asked, sight, 'p.time_ms', 0)} order by p.time_ms desc limit ${asked.mostCount}
      ) do
        if ended < most and exists (
          select 1 from information_schema.processlist p
          where p.id = one.id and p.query_id = one.query_id and p.command = 'Sleep'
        ) then
          begin
            declare exit handler for ${NOT_ENDED.join(', ')} begin end;
            execute immediate concat('kill ', one.id);
            set ended = ended + 1;
          end;
        end if;
      end for;
      do release_lock(${lock});
    end;
  end if;
  select ended, alone;
end`
  return yield* withSight(sight, function* () {
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
  if (sight.performanceSchema === undefined) {
    const [row] = yield 'select @@performance_schema as v'
    sight.performanceSchema = Number((row as { v?: unknown } | undefined)?.v) === 1
  }
  return yield* withSight(sight, () => oneByOne(asked, sight))
}

function* oneByOne(asked: RecallAsk, sight: RecallSight): RecallPlan {
  const outcome = { endedCount: 0, busy: false } satisfies RecallOutcome as {
    endedCount: number
    busy: boolean
  }
  const ended: number[] = []
  while (ended.length < asked.mostCount && (ended.length === 0 || asked.goOn())) {
    const [found] = (yield lookForOne(asked, sight, ended)) as { id: unknown; alone: unknown; at: unknown }[]
    if (found === undefined) break
    outcome.busy = Number(found.alone) !== 1
    if (found.id === null) {
      if (!outcome.busy) yield `do release_lock(${reaperLock(asked.fleet)})`
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
function lookForOne({ fleet, ...asked }: RecallAsk, sight: RecallSight, ended: readonly number[]): string {
  const lock = reaperLock(fleet)
  const [list, statusTable] =
    sight.performanceSchema === true
      ? ['performance_schema.processlist', 'performance_schema.global_status']
      : ['information_schema.processlist', 'performance_schema.global_status']
  // `time` counts whole seconds, from one clock's tick to another's.
  const which = recallable({ ...asked, fleet }, sight, '1000 * p.time', 1_000)
  const others = ended.length === 0 ? '' : ` and p.id not in (${ended.join(', ')})`
  const needed = `${usedCount(statusTable)} > ${asked.abovePressure} * @@max_connections`
  const longest = `where ${which}${others} and ${needed}`
  return (
    `select if(get_lock(${lock}, 0) = 1, (select p.id from ${list} p ${longest} order by p.time desc, p.id limit 1), ` +
    `(select p.id from ${list} p ${longest} and p.id = is_used_lock(${lock}))) as id, ` +
    `ifnull(is_used_lock(${lock}) = connection_id(), 0) as alone, unix_timestamp(sysdate(6)) as at`
  )
}

function endOne(fleet: string, id: number, at: string): string {
  const inTime = `unix_timestamp(sysdate(6)) - ${at} < ${SEEN_WITHIN_S}`
  return `kill if(ifnull(release_lock(${reaperLock(fleet)}), 0) >= 0 and ${inTime}, ${id}, 0)`
}
