import { defineConfig, type UserConfig } from 'tsdown'

import { base } from '../../tsdown.base.ts'

const config: UserConfig[] = defineConfig([
  { ...base, entry: ['src/index.ts', 'src/esbuild.ts', 'src/start.ts'] },
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
