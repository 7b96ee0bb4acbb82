// What a server needs to speak TLS: as text for everybody, and as files in the server's own folder.
import { chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { Account } from './unprivileged.ts'

/** PEM texts. `createAuthority().issue()` makes them. */
export interface TlsFiles {
  /** The certificate of the authority that signed {@link certificate}: what a client has to trust. */
  readonly ca: string
  readonly certificate: string
  readonly privateKey: string
}

export interface TlsPaths {
  readonly certificate: string
  readonly privateKey: string
}

/** Where {@link writeTlsFiles} writes. */
export function tlsPaths(directory: string): TlsPaths {
  const folder = tlsFolder(directory)
  return { certificate: join(folder, 'certificate.pem'), privateKey: join(folder, 'private-key.pem') }
}

/** Writes the files for a server: readable for the account, or for this process, and nobody else. */
export async function writeTlsFiles(files: TlsFiles, directory: string, account?: Account): Promise<void> {
  const folder = tlsFolder(directory)
  const paths = tlsPaths(directory)
  await mkdir(folder, { mode: 0o700 })
  await writeFile(paths.certificate, files.certificate, { mode: 0o600 })
  await writeFile(paths.privateKey, files.privateKey, { mode: 0o600 })
  if (!account) return
  const { uid, gid } = account
  await Promise.all([folder, paths.certificate, paths.privateKey].map((path) => chown(path, uid, gid)))
}

function tlsFolder(directory: string): string {
  return join(directory, 'tls')
}
