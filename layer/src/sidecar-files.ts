/** The sidecar as it lies in the layer: a script that Lambda starts, and one file that the script starts. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { buildSync } from 'esbuild'

/** Lambda starts whatever lies in this folder. */
export const SIDECAR_EXECUTABLE = 'extensions/leasehold'
const PROGRAM = 'leasehold-sidecar.cjs'

/** By path in the layer. The first of them must be executable. */
export function sidecarFiles(): ReadonlyMap<string, Uint8Array> {
  const folder = fileURLToPath(new URL('sidecar/', import.meta.url))
  const { outputFiles } = buildSync({
    absWorkingDir: folder,
    entryPoints: ['main.ts'],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node22.12',
    // Unlike `import`, `require` looks in the folders of `NODE_PATH`, where the runtime's AWS SDK is.
    format: 'cjs',
    supported: { 'dynamic-import': false },
    external: ['@aws-sdk/*'],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'error',
  })
  const [program] = outputFiles
  if (program === undefined) throw new Error('the sidecar was not built')
  const script = readFileSync(`${folder}leasehold.sh`)
  return new Map([
    [SIDECAR_EXECUTABLE, script],
    [PROGRAM, program.contents],
  ])
}
