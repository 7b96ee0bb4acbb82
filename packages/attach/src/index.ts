/** @leasehold/attach: governs a function's connections without a change of its code. */

export { start } from './start.ts'
