// What the layer may weigh, and what it may cost a cold start.

import { join } from 'node:path'

import { unzipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { describeAtOpt } from './at-opt.ts'
import { type ColdStart, measureColdStarts, type Way } from './cold-starts.ts'
import { unpackLayer, type UnpackedLayer } from './unpacked-layer.ts'
import { succeed } from './workspace.ts'

const KIB = 1024
/** Lambda takes 50 MB zipped, 250 MB unzipped with the function and all layers. */
const MOST_ZIPPED_BYTES = 1_500 * KIB
const MOST_UNZIPPED_BYTES = 4_500 * KIB

/** Against the same function without the layer. */
const MOST_RATIO = 2

let layer: UnpackedLayer

beforeAll(async () => {
  layer = await unpackLayer()
})
afterAll(() => layer?.[Symbol.asyncDispose]())

describe('the layer', () => {
  it('is small', () => {
    const sizes = Object.values(unzipSync(layer.zip)).map(({ length }) => length)
    expect(layer.zip.length).toBeLessThan(MOST_ZIPPED_BYTES)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST_UNZIPPED_BYTES)
  })
})

describe.each(['core', 'core/lambda', 'core/aws', 'pg-adapter', 'mysql-adapter'])('%s', (entry) => {
  it("loads nothing of Node's own client of HTTP when it is imported", async () => {
    const [name = '', ...below] = entry.split('/')
    const path = join(layer.opt, 'nodejs/node_modules/@leasehold', name, 'dist', ...below, 'index.js')
    const text = `await import(${JSON.stringify(path)})
      console.log(JSON.stringify(process.moduleLoadList.filter((name) => name.includes('undici'))))`
    const loaded = await succeed(process.execPath, ['--input-type=module', '--eval', text], {
      cwd: layer.opt,
    })
    // It takes longer to load than all of ours.
    expect(JSON.parse(loaded)).toEqual([])
  })
})

describeAtOpt('a cold start', () => {
  // The lighter driver, beside which whatever is added weighs more.
  it('with the layer attached is not twice one without, on pg', async () => {
    const [figures] = await measureColdStarts(layer, ['pg'], ['no layer', 'layer, attached'], 5)
    // The least of them is what it takes where nothing else runs.
    const least = (way: Way, name: keyof ColdStart): number =>
      Math.min(...(figures?.starts[way].map((start) => start[name]) ?? []))
    const ratio = (name: keyof ColdStart): number => least('layer, attached', name) / least('no layer', name)
    expect(ratio('initMs')).toBeLessThan(MOST_RATIO)
    expect(ratio('processorMs')).toBeLessThan(MOST_RATIO)
  }, 180_000)
})
