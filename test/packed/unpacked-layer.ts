/** The layer as Lambda unpacks it. */

import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { buildLayer } from '@leasehold/layer'
import { unzipSync } from 'fflate'

import { ensureBuilt } from './workspace.ts'
import { modesIn } from './zip-modes.ts'

export interface UnpackedLayer extends AsyncDisposable {
  /** What goes to `/opt`. */
  readonly opt: string
  readonly zip: Uint8Array
  /** Every file's path below `/opt`. */
  readonly paths: readonly string[]
  /** A folder beside it with these files: a function's code, for instance. */
  folder(name: string, files?: Readonly<Record<string, string>>): Promise<string>
}

export async function unpackLayer(): Promise<UnpackedLayer> {
  await ensureBuilt()
  const root = await realpath(await mkdtemp(join(tmpdir(), 'leasehold-layer-')))
  const opt = join(root, 'opt')
  const zip = buildLayer()
  const modes = modesIn(zip)
  const files = unzipSync(zip)
  for (const [path, bytes] of Object.entries(files)) {
    await write(join(opt, path), bytes)
    await chmod(join(opt, path), modes.get(path) ?? 0)
  }
  const folder = async (name: string, texts: Readonly<Record<string, string>> = {}): Promise<string> => {
    await mkdir(join(root, name), { recursive: true })
    for (const [path, text] of Object.entries(texts)) await write(join(root, name, path), text)
    return join(root, name)
  }
  const dispose = (): Promise<void> => rm(root, { recursive: true, force: true })
  return { opt, zip, paths: Object.keys(files), folder, [Symbol.asyncDispose]: dispose }
}

async function write(path: string, contents: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, contents)
}
