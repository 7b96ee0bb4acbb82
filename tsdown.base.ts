/** How every published package is built: ESM and CommonJS, a declaration file for each, nothing bundled in. */

import type { UserConfig } from 'tsdown'

export const base: UserConfig = {
  format: ['esm', 'cjs'],
  // `.js` and `.d.ts` are ESM (`"type": "module"`), `.cjs` and `.d.cts` CommonJS.
  fixedExtension: false,
  dts: true,
  platform: 'node',
  target: 'node22.12',
  deps: { neverBundle: true },
  hash: false,
  // Lambda's Node 22 cannot `require` ESM, so CommonJS stays.
  checks: { legacyCjs: false },
  failOnWarn: true,
}
