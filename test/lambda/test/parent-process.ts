// Run by process-guard.test.ts: leaves one frozen and one vanished environment behind.

import { fileURLToPath } from 'node:url'

import { deployFunction } from '../src/index.ts'

const taskRoot = fileURLToPath(new URL('functions', import.meta.url))
const lambda = deployFunction({ name: 'left', taskRoot, handler: 'plain.echo', runtime: 'stand-in' })
await lambda.scaleTo(2)
lambda.environments[0]?.vanish()
process.on('SIGUSR2', () => process.exit(0))
process.stdout.write(`${lambda.environments.map(({ pid }) => pid).join(' ')}\n`)
