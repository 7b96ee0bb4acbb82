/** @leasehold/attach: governs a function's connections without a change of its code. */

export type { AttachmentCounts } from './report.ts'
export { type Attachment, attachment, start } from './start.ts'
export type { Kind } from './shapes.ts'
export { variablesTable } from './variables/variables.ts'
