/** Writes `layer/dist/leasehold-layer.zip`. */

import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { buildLayer } from './index.ts'

const zip = buildLayer()
const sha256 = createHash('sha256').update(zip).digest('hex')
mkdirSync(new URL('../dist/', import.meta.url), { recursive: true })
const path = new URL('../dist/leasehold-layer.zip', import.meta.url)
writeFileSync(path, zip)
console.log(`${fileURLToPath(path)}\n${Math.ceil(zip.length / 1024)} KiB, sha256 ${sha256}`)
