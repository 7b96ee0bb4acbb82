/** What a governor takes from the process around it. */

import type { Clock } from './clock.ts'
import type { Env } from './env.ts'
import type { OpenParts } from './open.ts'
import type { Random } from './random.ts'

/** Clock, randomness and environment; the system's own by default. */
export interface Surroundings {
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  readonly env?: Env | undefined
  /** @defaultValue the policy's own pace */
  readonly pace?: OpenParts['pace']
}
