// Deploys the function of Managed Instances: 8 worker threads that take up to 64 requests at once.
import type { FunctionOptions, LambdaFunction } from '@leasehold/lambda-emulator'
import type { DatabaseServer } from '@leasehold/test-databases'

import { deployExtended } from './extended.ts'

export const WORKERS = 8
export const REQUESTS = 64

export interface Managed {
  readonly pool?: object
  readonly variables?: Readonly<Record<string, string>>
  readonly lambda?: Partial<FunctionOptions>
}

export function deployManaged(
  server: DatabaseServer,
  { pool, variables, lambda }: Managed = {},
): LambdaFunction {
  return deployExtended(server, {
    pool: { ...pool },
    variables: {
      AWS_LAMBDA_MAX_CONCURRENCY: String(REQUESTS),
      AWS_LAMBDA_NODEJS_WORKER_COUNT: String(WORKERS),
      NODE_OPTIONS: '--require=@leasehold/core/lambda/preload',
      ...variables,
    },
    lambda: { handler: 'functions/managed.handler', runtime: 'aws', ...lambda },
  })
}
