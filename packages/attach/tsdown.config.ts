import { defineConfig, type UserConfig } from 'tsdown'

import { base } from '../../tsdown.base.ts'

/** Every cold start loads it: what it needs of core comes along, and the rest of core does not. */
const deps: UserConfig['deps'] = { alwaysBundle: [/^@leasehold\/core/], onlyBundle: ['@leasehold/core'] }

const config: UserConfig[] = defineConfig([
  { ...base, entry: ['src/index.ts', 'src/esbuild.ts'] },
  { ...base, deps, entry: ['src/start.ts'], format: 'cjs', dts: false, clean: false },
  // Node takes it with `--import` alone.
  {
    ...base,
    entry: ['src/preload.ts'],
    format: 'esm',
    outExtensions: () => ({ js: '.mjs', dts: '.d.mts' }),
    clean: false,
  },
])

export default config
