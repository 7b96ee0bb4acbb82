// What the drivers return, before anybody knows its shape.

export type Rows = readonly Record<string, unknown>[]

/** A text that says something: neither null nor empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
