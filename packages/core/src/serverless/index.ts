/** @leasehold/core/serverless: one connection, kept between invocations, with its transactions and callbacks; for adapters. */

export { ServerlessClient } from './client.ts'
export type { ServerlessConfig, ServerlessEngine } from './engine.ts'
export type { BackoffName, ServerlessCallbacks, ServerlessOptions, Statement } from './options.ts'
export type { Backoff } from './pacing.ts'
export { createServerless, type Serverless, type ServerlessParts } from './serverless.ts'
export type { ServerlessTransaction, TransactionStep } from './transaction.ts'
