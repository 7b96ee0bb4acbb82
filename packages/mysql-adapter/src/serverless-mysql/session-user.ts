/** Who the session is, where `changeUser` made it another than the configuration says. */

import { invalidOptions } from '@leasehold/core'
import type { ServerlessClient } from '@leasehold/core/serverless'
import type mysql2 from 'mysql2'

import type { DriverConnection } from '../driver.ts'
import { run } from '../governed-connection.ts'
import type { GovernedPool } from '../governed-pool.ts'
import { hideSecrets } from '../secrets.ts'
import { sessionOf } from '../session.ts'
import type { Connection } from './engine.ts'

/** The driver's options of the same name: user, password, database, charset. */
export type ChangeUserOptions = mysql2.ConnectionOptions

export class SessionUser {
  #wanted: ChangeUserOptions | undefined

  /** Makes a new session what the one before it was. */
  async restore(connection: Connection): Promise<void> {
    if (this.#wanted !== undefined) await become(connection, this.#wanted)
  }

  forget(): void {
    this.#wanted = undefined
  }

  async change(
    client: ServerlessClient<GovernedPool, Connection>,
    options: ChangeUserOptions = {},
  ): Promise<boolean> {
    if ((client.config['connectionLimit'] ?? 1) !== 1) {
      throw invalidOptions(
        '`changeUser` needs `connectionLimit: 1`: other connections would stay whoever they are',
      )
    }
    await client.withClient(async (connection) => {
      await become(connection, options)
      // From here on every session that takes this one's place.
      this.#wanted = { ...this.#wanted, ...options }
      await client.prepareAgain(connection.promise())
    })
    return true
  }
}

/** The server resets a session that changes its user, and with it the limits that we set on it. */
async function become(connection: Connection, options: ChangeUserOptions): Promise<void> {
  const driver = connection as unknown as DriverConnection
  const names = ['wait_timeout', 'interactive_timeout']
  if (sessionOf(driver)?.limitsTransactions === true) names.push('idle_transaction_timeout')
  const [row] = await run(driver, `select ${names.map((name) => `@@session.${name} as ${name}`).join(', ')}`)
  // Older drivers let connections share the pool's, and write the new user into it, refused or not.
  driver.config = { ...driver.config }
  hideSecrets(driver.config)
  await new Promise<void>((resolve, reject) => {
    connection.changeUser(options, (error) => (error ? reject(error) : resolve()))
  })
  const held = row as Readonly<Record<string, unknown>> | undefined
  await run(driver, `set ${names.map((name) => `session ${name} = ${Number(held?.[name])}`).join(', ')}`)
}
