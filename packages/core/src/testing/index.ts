/** @leasehold/core/testing: time, randomness and an engine that obey the test. */

export { ManualClock } from './manual-clock.ts'
export { ScriptedRandom } from './scripted-random.ts'
