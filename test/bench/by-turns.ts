// Warm requests of several functions, one after the other: until the response, and until the environment is free.
import type { LambdaFunction } from '@leasehold/lambda-emulator'

export interface WarmTimes {
  readonly latenciesMs: readonly number[]
  /** Until the environment was frozen, and could have taken the next request. */
  readonly freeMs: readonly number[]
}

/** @param warmUpCount so many more come first, and are not counted */
export async function invokeByTurns(
  functions: readonly LambdaFunction[],
  warmUpCount: number,
  count: number,
): Promise<readonly WarmTimes[]> {
  const taken = functions.map((lambda) => ({
    lambda,
    latenciesMs: [] as number[],
    freeMs: [] as number[],
  }))
  for (let request = -warmUpCount; request < count; request += 1) {
    for (const { freeMs, lambda, latenciesMs } of taken) {
      const startMs = performance.now()
      const { latencyMs, error } = await lambda.invoke({}, { settle: true })
      const untilFreeMs = performance.now() - startMs
      if (error !== undefined) throw new Error(error.errorMessage)
      if (request < 0) continue
      latenciesMs.push(latencyMs)
      freeMs.push(untilFreeMs)
    }
  }
  return taken
}
