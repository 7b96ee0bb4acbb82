// The few figures the measurements are told in.

/** The value below which `share` of the samples lie; nearest rank. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5)
}

/** `value` with three significant digits. */
export function short(value: number): string {
  return Number(value.toPrecision(3)).toString()
}
