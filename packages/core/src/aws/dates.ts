/** Writes a time down; takes none. */

export function dateOf(epochMs: number): Date {
  // oxlint-disable-next-line no-restricted-globals
  return new Date(epochMs)
}
