// The program that PAM runs for each login by token: user in the environment, token on standard input, folder
// with the rules as its argument. Exit code 0 lets the user in. Nothing of the token is ever written down.
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { verdictOn } from './iam-token.ts'
import type { IamRules } from './iam-token.ts'

const folder = process.argv[2] ?? '.'
const rules = JSON.parse(readFileSync(join(folder, 'rules.json'), 'utf8')) as IamRules
// Some versions of PAM write the byte that ends a text in C.
const token = readFileSync(0, 'utf8').replace(/\0+$/, '')
const verdict = verdictOn(token, process.env['PAM_USER'] ?? '', rules, Date.now())
appendFileSync(join(folder, 'verdicts'), `${JSON.stringify(verdict)}\n`)
process.exitCode = verdict.accepted ? 0 : 1
