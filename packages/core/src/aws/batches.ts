/** Cuts data points into requests that CloudWatch takes. */

import type { Datum } from './series.ts'

/** Source: PutMetricData's quotas: 1 000 metrics and 1 MB a request. */
const MOST_IN_BATCH = 1_000
const MOST_BYTES = 900_000

/** What a data point takes at the most, by the protocols that the SDK has spoken so far. */
const DATUM_BYTES = 800
const VALUE_BYTES = 110

export function batchesOf(data: readonly Datum[]): readonly (readonly Datum[])[] {
  const batches: Datum[][] = []
  let batch: Datum[] = []
  let bytes = 0
  for (const datum of data) {
    const { Fleet, Target } = datum.dimensions
    const datumBytes = DATUM_BYTES + Fleet.length + Target.length + datum.values.length * VALUE_BYTES
    if (batch.length >= MOST_IN_BATCH || (batch.length > 0 && bytes + datumBytes > MOST_BYTES)) {
      batches.push(batch)
      batch = []
      bytes = 0
    }
    batch.push(datum)
    bytes += datumBytes
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}
