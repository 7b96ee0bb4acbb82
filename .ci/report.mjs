// Reads vitest's JSON report: the counts and what failed, for people, to stderr; the files that failed, for the
// script, to stdout.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(
  readFileSync(process.argv[2], 'utf8'),
)
tell(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`)

for (const { name, status, message, assertionResults } of testResults) {
  if (status !== 'failed') continue
  const file = relative('.', name)
  process.stdout.write(`${file}\n`)
  // A file that could not be loaded fails without a test that does.
  if (message) tell(`  failed: ${file}`, message)
  for (const test of assertionResults) {
    if (test.status === 'failed') tell(`  failed: ${file}: ${test.fullName}`, ...test.failureMessages)
  }
}

/**
 * @param {string} line
 * @param {string[]} failures Of each, the first lines.
 */
function tell(line, ...failures) {
  const starts = failures.map((text) => text.split('\n').slice(0, 5).join('\n    '))
  process.stderr.write(`${[line, ...starts].join('\n    ')}\n`)
}
