#!/usr/bin/env node
/** The program that npm installs as `leasehold`. */

import { processIo } from './io.ts'
import { run } from './program.ts'

process.exitCode = await run(process.argv.slice(2), processIo())
