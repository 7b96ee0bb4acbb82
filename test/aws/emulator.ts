// An emulator of AWS's services (moto) as a process of its own: written by others, so that it can contradict
// us.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

import {
  type Command,
  createServerFolder,
  findProgram,
  freePort,
  LOOPBACK,
  ServerProcess,
  unpackedProgram,
  unpackedRoot,
} from '@leasehold/test-databases'

export const EMULATOR_REMEDY: string =
  'run test/aws/install-emulator.sh (Debian, Ubuntu; no root needed; 40 MB), ' +
  'or put the moto_server of moto 5 in the PATH'

const ROOT_VARIABLE = 'LEASEHOLD_AWS_EMULATOR_ROOT'
const PROBE_WITHIN_MS = 5_000
const HELP_WITHIN_MS = 10_000

export interface AwsEmulator {
  /** Every service answers here, and tells them apart by the signature. Signatures are not verified. */
  readonly endpoint: string
  /** Ends it; what it stored is gone. */
  dispose(): Promise<void>
}

/**
 * What starts it: in the folder that install-emulator.sh makes, else in the PATH. A folder named by
 * `LEASEHOLD_AWS_EMULATOR_ROOT` is the only place that is looked at.
 */
export function findEmulator(): Command | undefined {
  const root = unpackedRoot(ROOT_VARIABLE, 'aws-emulator-root')
  const python = unpackedProgram(root, 'usr/bin/python3', EMULATOR_REMEDY)
  if (python !== undefined) {
    const args = [...python.args, '-sP', '-m', 'moto.server']
    return { file: python.file, args, env: { PYTHONHOME: join(root, 'usr') } }
  }
  return process.env[ROOT_VARIABLE] === undefined ? systemEmulator() : undefined
}

/** Some of what calls itself so only says that it is installed for another Python: it has to be asked. */
function systemEmulator(): Command | undefined {
  const file = findProgram('moto_server')
  if (file === undefined) return undefined
  const { status } = spawnSync(file, ['--help'], { timeout: HELP_WITHIN_MS, stdio: 'ignore' })
  return status === 0 ? { file, args: [] } : undefined
}

/** Starts one of its own, empty, on the loopback address. Throws with the remedy if it is not installed. */
export async function startEmulator(): Promise<AwsEmulator> {
  const command = findEmulator()
  if (command === undefined) throw new Error(`The AWS emulator is not here: ${EMULATOR_REMEDY}`)
  const port = await freePort()
  const endpoint = `http://${LOOPBACK}:${port}`
  const emulator = new ServerProcess({
    name: 'The AWS emulator',
    directory: await createServerFolder('aws'),
    command: { ...command, args: [...command.args, '-H', LOOPBACK, '-p', `${port}`] },
    stopSignal: 'SIGTERM',
    probe: () => probe(endpoint),
    // Its log has a line for each request, and nothing of what is in it.
    secrets: [],
  })
  try {
    await emulator.start()
  } catch (error) {
    await emulator.dispose()
    throw error
  }
  return { endpoint, dispose: () => emulator.dispose() }
}

async function probe(endpoint: string): Promise<void> {
  const answer = await fetch(`${endpoint}/moto-api/`, { signal: AbortSignal.timeout(PROBE_WITHIN_MS) })
  await answer.arrayBuffer()
  if (!answer.ok) throw new Error(`it answered ${answer.status}`)
}
