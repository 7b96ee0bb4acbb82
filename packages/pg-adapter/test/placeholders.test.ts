import { describe, expect, it } from 'vitest'

import { numbered } from '../src/serverless/placeholders.ts'

describe('`?` in a statement', () => {
  it.each([
    ['select ?', 'select $1'],
    ['insert into t values (?, ?, ?)', 'insert into t values ($1, $2, $3)'],
    ['select ?::int, ?::jsonb', 'select $1::int, $2::jsonb'],
    ['select ?||?', 'select $1||$2'],
    ['select 1', 'select 1'],
  ])('is numbered: %j', (sql, text) => expect(numbered(sql)).toBe(text))

  it.each([
    ["select '?', ?", "select '?', $1"],
    ["select 'it''s ?', ?", "select 'it''s ?', $1"],
    [String.raw`select e'\'?', ?`, String.raw`select e'\'?', $1`],
    [String.raw`select '\', ?`, String.raw`select '\', $1`],
    ['select "a?""b?", ?', 'select "a?""b?", $1'],
    ['select $$?$$, ?', 'select $$?$$, $1'],
    ['select $tag$ $$ ? $tag$, ?', 'select $tag$ $$ ? $tag$, $1'],
    ['select 1 -- why?\n, ?', 'select 1 -- why?\n, $1'],
    ['select /* ? /* ? */ ? */ ?', 'select /* ? /* ? */ ? */ $1'],
  ])('is left alone inside strings, names and comments: %j', (sql, text) => expect(numbered(sql)).toBe(text))

  it.each([
    ['select a ?| ?, a ?& ?', 'select a ?| $1, a ?& $2'],
    ['select a ?? ?', 'select a ? $1'],
  ])('is an operator: %j', (sql, text) => expect(numbered(sql)).toBe(text))

  it.each(['select $1, a ? b', 'select a ? $2'])('is left alone beside numbers of its own: %j', (sql) =>
    expect(numbered(sql)).toBe(sql),
  )

  it.each(["select '$1', ?", 'select "$1", ?', 'select a$1 ,?'])(
    'is numbered where a dollar is part of a name or a string: %j',
    (sql) => expect(numbered(sql)).toBe(sql.replace('?', '$1')),
  )

  it.each(["select 'open ?", 'select "open ?', 'select $$open ?', 'select /* open ?'])(
    'does not get lost in what is not closed: %j',
    (sql) => expect(() => numbered(sql)).not.toThrow(),
  )
})
