// Deploys the function that registers as an extension, on a real server.
import { deployFunction, type FunctionOptions, type LambdaFunction } from '@leasehold/lambda-emulator'
import type { DatabaseServer } from '@leasehold/test-databases'

export interface Extended {
  /** Options of the extension; left out, the function registers none. */
  readonly extension?: object
  /** Options of the pool; `bare` takes the driver's own. */
  readonly pool?: object
  readonly variables?: Readonly<Record<string, string>>
  readonly lambda?: Partial<FunctionOptions>
}

export function deployExtended(server: DatabaseServer, asked: Extended = {}): LambdaFunction {
  const { engine, host, port, database, login } = server
  const { extension, pool, variables, lambda } = asked
  const target = { engine, host, port, database, ...login, ...pool }
  return deployFunction({
    name: 'extended',
    taskRoot: import.meta.dirname,
    handler: 'functions/extended.handler',
    environment: {
      FLEET_TARGET: JSON.stringify(target),
      ...variables,
      ...(extension === undefined ? {} : { EXTENSION: JSON.stringify(extension) }),
    },
    nodeArgs: ['--conditions=@leasehold/source'],
    timeoutMs: 15_000,
    ...lambda,
  })
}
