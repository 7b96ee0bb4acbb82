import { fork } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rmdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { iamAvailability } from '../src/index.ts'
import { pamServicesOf } from './pam-services.ts'

const POLL = { timeout: 10_000, interval: 10 }

describe('the server of a process', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leasehold-test-'))
    await chmod(folder, 0o755)
  })

  afterEach(() => rmdir(folder))

  async function startInAnotherProcess(engine: string) {
    const child = fork(new URL('./start-and-wait.ts', import.meta.url), [engine], {
      env: { ...process.env, TMPDIR: folder },
      execArgv: [],
    })
    const [port]: unknown[] = await once(child, 'message')
    await expect(listens(Number(port))).resolves.toBe(true)
    return { child, port: Number(port) }
  }

  async function expectNothingLeft(port: number): Promise<void> {
    await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]), POLL)
    await expect(listens(port)).resolves.toBe(false)
  }

  it.each(['postgresql', 'mariadb'])(
    'ends, and its data go, when the process is killed (%s)',
    async (engine) => {
      const { child, port } = await startInAnotherProcess(engine)
      child.kill('SIGKILL')
      await expectNothingLeft(port)
    },
  )

  it.skipIf(!iamAvailability()[0]?.available)(
    'takes its PAM service along when the process is killed',
    async () => {
      const { child, port } = await startInAnotherProcess('postgresql with PAM')
      expect(await pamServicesOf(folder)).toHaveLength(1)
      child.kill('SIGKILL')
      await expectNothingLeft(port)
      await vi.waitFor(async () => expect(await pamServicesOf(folder)).toEqual([]), POLL)
    },
  )

  it('ends, and its data go, when the process just exits', async () => {
    const { child, port } = await startInAnotherProcess('postgresql')
    child.send('exit')
    await expectNothingLeft(port)
  })
})

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
