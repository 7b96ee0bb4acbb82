/** Renders the field table as the README shows it. */

import { FIELDS, type Field } from './fields.ts'

/** A Markdown table: option, default, range, meaning. */
export function optionsTable(): string {
  const rows = Object.entries(FIELDS).map(
    ([name, field]) => `| \`${name}\` | ${defaultOf(field)} | ${rangeOf(field)} | ${field.summary} |`,
  )
  return ['| option | default | range | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

export function defaultOf(field: Field): string {
  if (field.default === undefined) return 'none'
  return typeof field.default === 'number' ? grouped(field.default) : `\`${field.default}\``
}

export function rangeOf(field: Field): string {
  switch (field.kind) {
    case 'wholeMs':
      return `${grouped(field.min)} to ${grouped(field.max)} ms`
    case 'share':
      return `${field.min} to ${field.max}`
    case 'count':
      return `${grouped(field.min)} to ${grouped(field.max)}`
    case 'choice':
      return field.choices.map((choice) => `\`${choice}\``).join(', ')
    case 'name':
      return `1 to ${field.maxLength} characters`
    case 'switch':
      return '`true`, `false`'
    case 'hook':
      return 'function'
    case 'sink':
      return '`off`, object'
    case 'source':
    case 'logger':
    case 'hooks':
    case 'meter':
      return 'object'
  }
}

function grouped(value: number): string {
  return value >= 1_000 ? value.toLocaleString('en-US').replaceAll(',', ' ') : String(value)
}
