/** A line of metrics in the embedded format, held against what CloudWatch publishes of it. */

import { readFile } from 'node:fs/promises'

import { Ajv } from 'ajv'
import { expect } from 'vitest'

const SCHEMA = new URL('../../../../test/aws/emf-schema.json', import.meta.url)
const validate = new Ajv({ strict: false }).compile(JSON.parse(await readFile(SCHEMA, 'utf8')) as object)

export interface EmfDocument {
  readonly _aws: {
    readonly Timestamp: number
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string
      readonly Dimensions: readonly (readonly string[])[]
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[]
    }[]
  }
  readonly [target: string]: unknown
}

/** Fails where the line is not valid by the schema, or by what the specification says in words. */
export function readEmf(line: string): EmfDocument {
  expect(line).not.toContain('\n')
  expect(Buffer.byteLength(line)).toBeLessThan(256 * 1_024)
  const document = JSON.parse(line) as EmfDocument
  expect(validate(document), JSON.stringify(validate.errors)).toBe(true)
  // What the specification says in words.
  for (const { Dimensions, Metrics } of document._aws.CloudWatchMetrics) {
    expect(Metrics.length).toBeLessThanOrEqual(100)
    for (const { Name } of Metrics) {
      const target = document[Name]
      const values: unknown[] = Array.isArray(target) ? target : [target]
      expect(values.length).toBeLessThanOrEqual(100)
      for (const value of values) expect(value).toBeTypeOf('number')
    }
    for (const name of Dimensions.flat()) expect(document[name]).toBeTypeOf('string')
  }
  return document
}
