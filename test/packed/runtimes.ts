/** The Nodes that the packages must run in: the workspace's, the oldest supported, and Lambda's. */

import { fileURLToPath } from 'node:url'

export interface Runtime {
  readonly runtime: string
  readonly program: string
  readonly flags: readonly string[]
}

const NODE_22 = fileURLToPath(new URL('node_modules/node-22/bin/node', import.meta.url))

/** Lambda's Node 22 runs with both of these off: it cannot `require` ESM. */
export const LAMBDA_22: Runtime = {
  runtime: "Lambda's Node 22",
  program: NODE_22,
  flags: ['--no-experimental-require-module', '--no-experimental-detect-module'],
}

export const RUNTIMES: readonly Runtime[] = [
  { runtime: 'Node 24', program: process.execPath, flags: [] },
  { runtime: 'Node 22.12', program: NODE_22, flags: [] },
  LAMBDA_22,
]
