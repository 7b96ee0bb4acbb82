/** Many values of one metric in bounded memory, so that its percentiles survive. */

/** CloudWatch takes no more distinct values in one data point. */
export const MOST_VALUES = 150

/** Once there are too many to keep apart, values within 2 % of one another are one; then within twice that, and so on. */
const FIRST_RATIO = 1.02

interface Bucket {
  count: number
  sum: number
}

/** Distinct values, and how often each was seen. */
export interface Spread {
  readonly values: readonly number[]
  readonly counts: readonly number[]
}

/**
 * Exact while the values are few. Beyond that near ones are counted together as their mean, so that sum and number
 * of samples stay what they were.
 */
export class Distribution {
  #buckets = new Map<number, Bucket>()
  /** Values are kept apart by this ratio; undefined while they are kept as they are. */
  #logRatio: number | undefined

  add(value: number, count: number): void {
    // What CloudWatch would not take, or what a clock that went back made of a duration.
    if (!Number.isFinite(value) || value < 0 || count < 1) return
    const rounded = Math.round(value * 100) / 100
    put(this.#buckets, this.#keyOf(rounded), count, rounded * count)
    while (this.#buckets.size > MOST_VALUES) this.#coarsen()
  }

  /** In rising order. */
  get spread(): Spread {
    const buckets = [...this.#buckets.values()].toSorted((left, right) => meanOf(left) - meanOf(right))
    return {
      values: buckets.map((bucket) => Math.round(meanOf(bucket) * 1_000) / 1_000),
      counts: buckets.map(({ count }) => count),
    }
  }

  #keyOf(value: number): number {
    if (this.#logRatio === undefined || value === 0) return value
    return Math.ceil(Math.log(value) / this.#logRatio) + OFFSET
  }

  #coarsen(): void {
    this.#logRatio = this.#logRatio === undefined ? Math.log(FIRST_RATIO) : 2 * this.#logRatio
    const finer = this.#buckets
    this.#buckets = new Map()
    for (const bucket of finer.values())
      put(this.#buckets, this.#keyOf(meanOf(bucket)), bucket.count, bucket.sum)
  }
}

/** The smallest value above 0 is 0.01: with this no key of a value is 0, which is that of the value 0. */
const OFFSET = 1_000

function put(buckets: Map<number, Bucket>, key: number, count: number, sum: number): void {
  const bucket = buckets.get(key)
  if (bucket === undefined) {
    buckets.set(key, { count, sum })
    return
  }
  bucket.count += count
  bucket.sum += sum
}

function meanOf({ count, sum }: Bucket): number {
  return sum / count
}
