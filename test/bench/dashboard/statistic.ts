// CloudWatch's statistics over values and how often each was measured.

export interface Sample {
  readonly value: number
  readonly count: number
}

/** Throws where it is none that CloudWatch has and this file knows. */
export function statisticOf(name: string, samples: readonly Sample[]): number {
  const [, percent] = /^p(\d{1,2}(?:\.\d+)?)$/.exec(name) ?? []
  if (percent !== undefined) return percentile(samples, Number(percent) / 100)
  const total = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0)
  const count = total((sample) => sample.count)
  switch (name) {
    case 'Sum':
      return total(({ value, count: times }) => value * times)
    case 'SampleCount':
      return count
    case 'Average':
      return total(({ value, count: times }) => value * times) / count
    case 'Maximum':
      return Math.max(...samples.map(({ value }) => value))
    case 'Minimum':
      return Math.min(...samples.map(({ value }) => value))
    default:
      throw new TypeError(`no statistic is called ${name}`)
  }
}

/** The least value that is no smaller than this share of all measurements. */
function percentile(samples: readonly Sample[], share: number): number {
  const sorted = samples.toSorted((left, right) => left.value - right.value)
  const wanted = share * sorted.reduce((sum, { count }) => sum + count, 0)
  let passed = 0
  for (const { value, count } of sorted) {
    passed += count
    if (passed >= wanted) return value
  }
  return Number.NaN
}
