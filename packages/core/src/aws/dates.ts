/** Reads a time and writes it down; takes none. */

export function dateOf(value: string | number): Date {
  // oxlint-disable-next-line no-restricted-globals
  return new Date(value)
}
