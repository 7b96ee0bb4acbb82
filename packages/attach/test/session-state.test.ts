import { describe, expect, it } from 'vitest'

import { SessionState } from '../src/session-state.ts'

function after(...told: string[]): SessionState {
  return of('postgresql', ...told)
}

function of(engine: 'postgresql' | 'mysql', ...told: string[]): SessionState {
  const state = new SessionState(engine)
  for (const sql of told) state.told(sql)
  state.ended(false)
  return state
}

describe('another session in the place of one that is over', () => {
  it.each([
    'select 1',
    'insert into settings values (1)',
    'update offset set value = 1',
    'set local work_mem = 1',
    'set transaction read only',
    'set session wait_timeout = 300, session interactive_timeout = 300',
    'select pg_advisory_xact_lock(1)',
    '/* set */ select 1',
    'select last_insert_id()',
  ])('will do where the session was told: %s', (sql) => {
    expect(after('select 1', sql).mayMove('select 1')).toBe(true)
  })

  it.each([
    'SET search_path TO shop',
    "set names 'utf8mb4'",
    ' use shop',
    'listen orders',
    'create temp table t (id int)',
    'CREATE TEMPORARY TABLE t (id int)',
    'select * into temp t from orders',
    'prepare p as select 1',
    'declare c cursor with hold for select 1',
    'lock tables t read',
    "select get_lock('a', 1)",
    'select pg_advisory_lock(1)',
    'select pg_try_advisory_lock(1)',
    "select set_config('a.b', 'c', false)",
    'set @a := 1',
    'select @a := 1',
    '/* app */ set search_path to shop',
    '-- app\nset search_path to shop',
    'select 1; set search_path to shop',
    'select 1; /* app */ set search_path to shop',
    'select 1; -- app\nset search_path to shop',
    '/*!40101 SET NAMES utf8 */',
    '/*M!100100 SET STATEMENT max_statement_time=1 FOR SELECT 1 */',
    'create temp recursive view v (n) as select 1',
    'create table pg_temp.t (id int)',
    "select dblink_connect('other', 'dbname=other')",
    'flush tables with read lock',
    'select id into @id from t',
    'select @`an id` := 1',
    'call fill_cart(1)',
    'do $$ begin perform 1; end $$',
  ])('will not do where it held something: %s', (sql) => {
    expect(after(sql).mayMove('select 1')).toBe(false)
  })

  it.each([
    'set local sql_mode = ansi',
    'set transaction isolation level serializable',
    'select 1; set local sql_mode = ansi',
  ])('will not do where MySQL was told what is for the session, or the next transaction: %s', (sql) => {
    expect(of('mysql', sql).mayMove('start transaction')).toBe(false)
    expect(of('postgresql', sql).mayMove('select 1')).toBe(true)
  })

  it('will do where MySQL was given a lease', () => {
    const lease = 'set session wait_timeout = 300, session interactive_timeout = 300'
    expect(of('mysql', lease).mayMove('select 1')).toBe(true)
  })

  it('reads a long row of comments in no time', () => {
    const sql = `select 1;${'/* * */ '.repeat(2_000)}select 2`
    expect(after(sql).mayMove('select 1')).toBe(true)
  })

  it('takes no statement of a transaction that was asked for and is not known to have begun', () => {
    for (const engine of ['postgresql', 'mysql'] as const) {
      const state = of(engine, 'begin')
      expect(state.mayMove('insert into t values (1)')).toBe(false)
      expect(state.mayMove('rollback')).toBe(false)
      expect(state.mayMove('select 1')).toBe(true)
    }
  })

  it.each([
    ['was ended', (state: SessionState) => state.told('commit')],
    ['came to nothing', (state: SessionState) => state.settled()],
  ])('will do where a transaction %s', (_, end) => {
    const state = new SessionState('postgresql')
    state.told('begin')
    end(state)
    state.ended(false)
    expect(state.mayMove('select 1')).toBe(true)
  })

  it('will do where a statement began a transaction and ended it', () => {
    expect(after('begin; insert into t values (1); commit').mayMove('select 1')).toBe(true)
  })

  it('takes no statement of a transaction that was lost, until that is ended', () => {
    const state = new SessionState('postgresql')
    state.ended(true)
    expect(state.mayMove('insert into t values (1)')).toBe(false)
    expect(state.mayMove('rollback to savepoint a')).toBe(false)
    expect(state.mayMove('rollback')).toBe(false)
    state.ended(true)
    expect(state.mayMove('select 1')).toBe(true)
  })

  it('takes the next transaction at its begin', () => {
    const state = new SessionState('postgresql')
    state.ended(true)
    expect(state.mayMove('begin')).toBe(true)
    expect(state.mayMove('insert into t values (1)')).toBe(true)
  })
})

describe('a statement that asks what the session remembers', () => {
  it.each(['select last_insert_id()', "select currval('ids')", 'select lastval()', 'select @a'])(
    'is not the first of another session: %s',
    (sql) => {
      const state = after('insert into t values (1)')
      expect(state.mayMove(sql)).toBe(false)
      expect(state.mayMove('select 1')).toBe(true)
    },
  )
})
