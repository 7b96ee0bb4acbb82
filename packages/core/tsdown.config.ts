import { defineConfig, type UserConfig } from 'tsdown'

import { base } from '../../tsdown.base.ts'

const config: UserConfig = defineConfig({
  ...base,
  entry: [
    'src/index.ts',
    'src/aws/index.ts',
    'src/lambda/index.ts',
    'src/lambda/preload.ts',
    'src/serverless/index.ts',
    'src/testing/index.ts',
  ],
})

export default config
