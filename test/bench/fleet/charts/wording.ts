// Numbers as the charts and the page write them.

/** `1,704`. */
export function grouped(value: number): string {
  return value.toLocaleString('en-GB', { maximumFractionDigits: 0 })
}

/** `100 %` only when nothing is missing; `99.97 %`, `54.1 %`. */
export function shareText(share: number): string {
  const percent = 100 * share
  if (percent === 0 || percent === 100) return `${percent} %`
  return `${percent >= 99 ? Math.min(percent, 99.99).toFixed(2) : percent.toFixed(1)} %`
}

/** `0.8 ms`, `23 ms`, `1.24 s`. */
export function durationText(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toPrecision(3)} s`
  return ms >= 10 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(1)} ms`
}
