// No process outlives the one that runs the emulator, however that one ends.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { describe, it } from 'vitest'

import { kernelState, until } from './deployed.ts'

const parent = fileURLToPath(new URL('parent-process.ts', import.meta.url))

describe('when the process that runs the emulator', () => {
  it.each([
    ['is killed', (child: ReturnType<typeof spawn>) => child.kill('SIGKILL')],
    ['exits without dispose()', (child: ReturnType<typeof spawn>) => child.kill('SIGUSR2')],
  ])('%s, its frozen and its vanished environments go with it', async (_how, end) => {
    const child = spawn(process.execPath, [parent], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(createInterface(child.stdout), 'line')
    const pids = String(line).split(' ').map(Number)
    await until(() => pids.every((pid) => kernelState(pid) === 'T'))
    end(child)
    await until(() => pids.every((pid) => kernelState(pid) === undefined))
  })
})
