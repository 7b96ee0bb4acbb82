import { describe, expect, it } from 'vitest'

import { beginsTransaction, endsTransaction, statementOf } from '../../src/serverless/statement.ts'

describe('the arguments of a query', () => {
  it.each([
    [['select 1'], { sql: 'select 1' }],
    [['select ?', [1]], { sql: 'select ?', values: [1] }],
    [[{ sql: 'select ?', values: [1], timeout: 5 }], { sql: 'select ?', values: [1], timeout: 5 }],
    [[{ sql: 'select ?' }, [1]], { sql: 'select ?', values: [1] }],
    [[{ text: 'select $1', values: [1] }], { sql: 'select $1', values: [1] }],
  ])('%j are one statement', (args, statement) => {
    expect(statementOf(args)).toEqual(statement)
  })

  it.each([[[]], [[undefined]], [[null]], [[{}]], [[{ sql: 5 }]]])('%j are none', (args) => {
    expect(() => statementOf(args)).toThrow('a query is a string of SQL, or an object with `sql`')
  })
})

describe('a transaction made by hand', () => {
  it.each(['BEGIN', ' begin;', 'start  transaction read only', '/* why */ -- and\nBEGIN', 'begin work'])(
    'begins with %j',
    (sql) => expect(beginsTransaction({ sql })).toBe(true),
  )

  it.each(['select 1', 'beginning', 'begin not atomic select 1; end', "insert into t values ('begin')"])(
    'does not begin with %j',
    (sql) => expect(beginsTransaction({ sql })).toBe(false),
  )

  it.each(['COMMIT', 'commit work;', 'rollback', '-- so\nROLLBACK', 'end', 'commit and no chain'])(
    'ends with %j',
    (sql) => expect(endsTransaction({ sql })).toBe(true),
  )

  it.each(['rollback to savepoint a', 'ROLLBACK WORK TO a', 'commit and chain', 'update t set a = 1'])(
    'does not end with %j',
    (sql) => expect(endsTransaction({ sql })).toBe(false),
  )
})
