/** PURE: durations and shares as people read them. */

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const

/** `350 ms`, `1.2 s`, `34 s`, `5 min`, `3 h`; `-` where it is not known. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return '-'
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`
  const [name, unitMs] = UNITS.find(([, of]) => ms >= 2 * of) ?? UNITS[2]
  return `${Math.floor(ms / unitMs)} ${name}`
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

/** `1 session`, `2 sessions`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** By the clock of this machine. */
export function timeOfDay(epochMs: number): string {
  return new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' }).format(epochMs)
}
