// What is made of stored figures: texts for the page's blocks, and charts.
import type { TopLevelSpec } from 'vega-lite'

export interface Chart {
  /** Of its file. */
  readonly name: string
  readonly title: string
  readonly spec: TopLevelSpec
}

export interface Made {
  /** By the block's name. */
  readonly texts: ReadonlyMap<string, string>
  readonly charts: readonly Chart[]
}
