import { defineConfig, type UserConfig } from 'tsdown'

import { base } from '../../tsdown.base.ts'

const config: UserConfig = defineConfig({
  ...base,
  entry: ['src/index.ts', 'src/govern.ts', 'src/serverless/index.ts', 'src/serverless-postgres/index.ts'],
})

export default config
