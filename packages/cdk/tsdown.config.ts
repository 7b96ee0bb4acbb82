import { defineConfig, type UserConfig } from 'tsdown'

import { base } from '../../tsdown.base.ts'

const config: UserConfig = defineConfig({ ...base, entry: ['src/index.ts'] })

export default config
