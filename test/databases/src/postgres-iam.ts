// Logins by token on PostgreSQL, as RDS has them: members of the role `rds_iam`, over TLS, through PAM.
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { escapeIdentifier } from 'pg'

import type { IamGate } from './iam-gate.ts'
import { requirePam } from './pam.ts'
import { privileges } from './postgres-roles.ts'
import type { ServerOptions } from './server.ts'

const IAM_ROLE = 'rds_iam'

/** Throws before anything is made. The folder is the one above `bin`. */
export function checkIamPrograms(name: string, folder: string, { tls }: ServerOptions): void {
  requirePam()
  if (!tls) throw new Error('`iam` needs `tls`: PostgreSQL takes tokens over TLS only')
  if (!isBuiltWithPam(folder)) {
    throw new Error(`this ${name} can't take tokens, as it is built without PAM: use \`major: 15\` of Debian`)
  }
}

/** The library's name is in the program that needs it. */
export function isBuiltWithPam(folder: string): boolean {
  return readFileSync(join(folder, 'bin', 'postgres')).includes('libpam.so')
}

export function hbaFile(directory: string): string {
  return join(directory, 'pg_hba.conf')
}

/** Writes everything that the server reads at its start. */
export async function installIam(gate: IamGate, directory: string): Promise<void> {
  await gate.install()
  const rules = [
    `hostssl all +${IAM_ROLE} all pam pamservice=${gate.service}`,
    `hostnossl all +${IAM_ROLE} all reject`,
    'host all all all scram-sha-256',
  ]
  await writeFile(hbaFile(directory), `${rules.join('\n')}\n`, { mode: 0o644 })
}

/** SQL for the user, and for the role if this is the first user. */
export function iamRole(user: string): string {
  const name = escapeIdentifier(user)
  return `
    do $$ begin
      if to_regrole('${IAM_ROLE}') is null then create role ${IAM_ROLE}; end if;
    end $$;
    create role ${name} login in role ${IAM_ROLE};
    ${privileges(name)}`
}
