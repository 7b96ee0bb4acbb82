import { defineConfig, type UserConfig } from 'tsdown'

import { base } from '../../tsdown.base.ts'

/** The simulator is no package of its own: it comes along. Everything else is a dependency. */
const deps: UserConfig['deps'] = {
  alwaysBundle: ['@leasehold/simulation'],
  onlyBundle: ['@leasehold/simulation'],
}

const config: UserConfig[] = defineConfig([
  { ...base, deps, entry: ['src/index.ts'] },
  // The program runs under Node alone; nobody requires it.
  { ...base, deps, entry: ['src/main.ts'], format: 'esm', dts: false, clean: false },
])

export default config
