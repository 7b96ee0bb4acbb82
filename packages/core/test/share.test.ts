import { describe, expect, it } from 'vitest'

import { resolveOptions } from '../src/options/resolve.ts'
import { type PlaceKeeper, poolMax, workerCount } from '../src/share.ts'
import { ListeningLogger } from './scene.ts'

const MANAGED = { AWS_LAMBDA_FUNCTION_NAME: 'shop', AWS_LAMBDA_MAX_CONCURRENCY: '64' }
const twoCpus = (): number => 2

function sizeOf(env: Record<string, string>, environmentConnections = 0, keeper?: PlaceKeeper) {
  const logger = new ListeningLogger()
  const options = resolveOptions({ environmentConnections, logger })
  return { max: poolMax(env, options, keeper, twoCpus), warnings: logger.warnings }
}

describe('the size of a pool that is given none', () => {
  it.each([
    ['is the driver’s outside Lambda', {}, undefined],
    ['is 1 where one request at a time reaches an environment', { AWS_LAMBDA_FUNCTION_NAME: 'shop' }, 1],
    ['is 1 where the share is one for each of 16 threads', MANAGED, 1],
    ['is 2 where 64 requests meet 8 threads', { ...MANAGED, AWS_LAMBDA_NODEJS_WORKER_COUNT: '8' }, 2],
    ['is 16 where there is one thread', { ...MANAGED, AWS_LAMBDA_NODEJS_WORKER_COUNT: '1' }, 16],
    [
      'is 1 where the concurrency is nothing that can be divided',
      { ...MANAGED, AWS_LAMBDA_MAX_CONCURRENCY: 'many' },
      1,
    ],
  ])('%s', (_, env: Record<string, string>, max) => {
    expect(sizeOf(env)).toEqual({ max, warnings: [] })
  })

  it('divides what the environment may have, rounded down', () => {
    expect(sizeOf({ ...MANAGED, AWS_LAMBDA_NODEJS_WORKER_COUNT: '8' }, 31).max).toBe(3)
  })

  it('is never less than 1, and says that the environment has more then than it may', () => {
    const { max, warnings } = sizeOf(MANAGED, 6)
    expect(max).toBe(1)
    expect(warnings).toEqual([
      'leasehold: `environmentConnections` (6) is less than one for each of 16 worker threads, which have one each: ' +
        'set AWS_LAMBDA_NODEJS_WORKER_COUNT to fewer, or allow more',
    ])
  })

  it('is what a keeper of places says, where there is one', () => {
    const keeper: PlaceKeeper = { mostCount: 5, take: () => Promise.reject(new Error('not asked here')) }
    expect(sizeOf(MANAGED, 6, keeper)).toEqual({ max: 5, warnings: [] })
    expect(sizeOf({ AWS_LAMBDA_FUNCTION_NAME: 'shop' }, 0, keeper).max).toBe(1)
  })
})

describe('the count of worker threads', () => {
  it.each([
    [{}, 16],
    [{ AWS_LAMBDA_NODEJS_WORKER_COUNT: '3' }, 3],
    [{ AWS_LAMBDA_NODEJS_WORKER_COUNT: 'three' }, 16],
    [{ AWS_LAMBDA_NODEJS_WORKER_COUNT: '0' }, 16],
  ])('is the runtime client’s: with %j, %i', (env: Record<string, string>, count) => {
    expect(workerCount(env, twoCpus)).toBe(count)
  })

  it('is that of this machine where nobody says', () => {
    expect(workerCount({})).toBeGreaterThanOrEqual(8)
  })
})
