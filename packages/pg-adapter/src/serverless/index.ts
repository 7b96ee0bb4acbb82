/** @leasehold/pg-adapter/serverless: one connection kept between invocations, as serverless-mysql has it, on PostgreSQL. */

import {
  createServerless,
  type Serverless,
  type ServerlessOptions,
  type ServerlessTransaction,
} from '@leasehold/core/serverless'
import pg from 'pg'

import { checkDriver, type PgModule } from '../driver.ts'
import type { PoolOptions } from '../options.ts'
import type { GovernedPool, GovernedPoolClient } from '../pool-types.ts'
import { engineOf } from './engine.ts'

/**
 * Makes a client that keeps one connection between invocations: for use outside the handler. Opens nothing
 * before the first statement. `?` stands for a value as `$1` does, where the values are a list and the text
 * has no `$1` of its own; write `??` for the operator `?`.
 *
 * @param params options, or a connection string
 * @throws LeaseholdError `INVALID_OPTIONS` with every problem, one a line; `UNSUPPORTED_DRIVER`
 */
function serverlessPg(params?: serverlessPg.Config | string): serverlessPg.ServerlessPg {
  const given = typeof params === 'object' && params !== null ? params.library : undefined
  const library = given ?? pg
  checkDriver(library)
  return createServerless(engineOf(library), params).api
}

// As `@leasehold/mysql-adapter/serverless-mysql` has them: one function that carries its types into CommonJS.
declare namespace serverlessPg {
  export type Config = ServerlessOptions<PgModule, PoolOptions, GovernedPoolClient>
  export type Transaction = ServerlessTransaction
  export type ServerlessPg = Serverless<GovernedPool, PoolOptions, GovernedPoolClient>
}

export default serverlessPg
