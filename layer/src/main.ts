/** Writes `layer/dist/leasehold-layer.zip`, and the same without the sidecar. */

import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { buildLayer, type LayerParts } from './index.ts'

function write(name: string, parts: LayerParts): void {
  const zip = buildLayer(parts)
  const sha256 = createHash('sha256').update(zip).digest('hex')
  const path = new URL(`../dist/${name}`, import.meta.url)
  writeFileSync(path, zip)
  console.log(`${fileURLToPath(path)}\n${Math.ceil(zip.length / 1024)} KiB, sha256 ${sha256}`)
}

mkdirSync(new URL('../dist/', import.meta.url), { recursive: true })
write('leasehold-layer.zip', {})
write('leasehold-layer-without-sidecar.zip', { sidecar: false })
