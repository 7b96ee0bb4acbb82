// The system's login modules (PAM): one service for each server, whose only rule is to run a program.
import { existsSync, readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const SERVICES = '/etc/pam.d'
const LIBRARIES = ['/lib', '/usr/lib', '/lib64', '/usr/lib64']

export const PAM_REMEDY: string =
  'logins by token need Linux with PAM and its module pam_exec (Debian: apt-get install libpam-modules), ' +
  `and root, to write to ${SERVICES}`

export function isPamAvailable(): boolean {
  return process.getuid?.() === 0 && existsSync(SERVICES) && hasPamExec()
}

/** Throws with the remedy where there is no PAM, or no right to use it. */
export function requirePam(): void {
  if (!isPamAvailable()) throw new Error(PAM_REMEDY)
}

/** The file of a service. PAM looks for names in small letters only. */
export function pamServiceFile(service: string): string {
  return join(SERVICES, service)
}

/**
 * Writes a service that runs a command for each login, with the password on its standard input. PAM passes
 * 512 bytes of it at most and says nothing about the rest.
 */
export async function writePamService(service: string, command: readonly string[]): Promise<void> {
  // The brackets keep spaces together; a bracket inside would end them.
  const words = command.map((word) => `[${word.replaceAll(']', '\\]')}]`).join(' ')
  const rules = `auth required pam_exec.so quiet expose_authtok ${words}\naccount required pam_permit.so\n`
  await writeFile(pamServiceFile(service), rules, { mode: 0o644, flag: 'wx' })
}

function hasPamExec(): boolean {
  const module = join('security', 'pam_exec.so')
  return LIBRARIES.some((library) => {
    if (existsSync(join(library, module))) return true
    const folders = existsSync(library) ? readdirSync(library) : []
    return folders.some((name) => name.endsWith('-linux-gnu') && existsSync(join(library, name, module)))
  })
}
