// Logins by token on MariaDB: accounts of the plugin auth_pam, which asks for the password as clear text. RDS
// has a plugin of its own on the server, and the same one (`mysql_clear_password`) on the client.
import { join } from 'node:path'

import { escape } from 'mysql2'

import { copyAuthPam } from './auth-pam.ts'
import type { IamGate } from './iam-gate.ts'
import { APP } from './login.ts'

export interface MariadbIam {
  readonly gate: IamGate
  readonly settings: Readonly<Record<string, string>>
  install(): Promise<void>
  /** SQL for one user. */
  account(user: string): string
}

export function mariadbIam(gate: IamGate, directory: string): MariadbIam {
  const plugins = join(directory, 'plugins')
  return {
    gate,
    settings: { plugin_dir: plugins, plugin_load_add: 'auth_pam', pam_use_cleartext_plugin: 'ON' },
    install: async () => {
      await copyAuthPam(plugins)
      await gate.install()
    },
    account: (user) => `
      create user ${escape(user)} identified via pam using ${escape(gate.service)} require ssl;
      grant all on ${APP}.* to ${escape(user)}`,
  }
}
