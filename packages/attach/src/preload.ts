/**
 * What `node --import` takes: begins attachment before the function and Lambda's runtime client are loaded. A side
 * effect, and nothing else; whatever goes wrong, the function runs as without.
 */

import { createRequire } from 'node:module'

import type * as startModule from './start.ts'

try {
  // One copy of everything, and a driver is found in the midst of a `require`, which waits for nothing: so CommonJS.
  const require = createRequire(import.meta.url)
  await (require('./start.cjs') as typeof startModule).start()
} catch (error) {
  const because = error instanceof Error ? error.message : String(error)
  // oxlint-disable-next-line no-console -- there is nothing else yet
  console.warn(`leasehold: attached to nothing, the function runs as without: ${because}`)
}
