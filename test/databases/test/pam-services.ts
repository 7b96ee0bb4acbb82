// The one thing that a server leaves outside its own folder while it runs: its PAM service.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const SERVICES = '/etc/pam.d'

/** The services whose program lies below this folder: other servers may run at the same time. */
export async function pamServicesOf(folder: string): Promise<readonly string[]> {
  const names = (await readdir(SERVICES)).filter((name) => name.startsWith('leasehold-'))
  const texts = await Promise.all(names.map((name) => readFile(join(SERVICES, name), 'utf8').catch(() => '')))
  return names.filter((_, index) => texts[index]?.includes(folder))
}
