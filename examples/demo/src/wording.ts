// Numbers as people read them, the same in the terminal and in the report. Pure.

const NONE = '–'

/** `12 345`. */
export function count(value: number | undefined): string {
  return value === undefined ? NONE : Math.round(value).toLocaleString('en-US').replaceAll(',', ' ')
}

/** `99.8 %`. Only a whole is 100 %, and only nothing is 0 %. */
export function share(value: number | undefined): string {
  if (value === undefined) return NONE
  const tenths = Math.round(value * 1_000)
  const honest = value < 1 && tenths === 1_000 ? 999 : value > 0 && tenths === 0 ? 1 : tenths
  return `${honest % 10 === 0 ? honest / 10 : (honest / 10).toFixed(1)} %`
}

/** `47 ms`, `1.35 s`. */
export function duration(valueMs: number | undefined): string {
  if (valueMs === undefined) return NONE
  return valueMs < 999.5 ? `${Math.round(valueMs)} ms` : `${(valueMs / 1_000).toFixed(2)} s`
}

/** `1:07`. */
export function stopwatch(valueMs: number): string {
  const seconds = Math.floor(valueMs / 1_000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
