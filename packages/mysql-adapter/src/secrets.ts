/** Keeps passwords out of what is printed. They stay enumerable: libraries copy a connection's config by spreading it. */

import { inspect } from 'node:util'

import type { DriverConnection } from './driver.ts'

const SECRETS = ['password', 'password1', 'password2', 'password3', 'passwordSha1']
const HIDDEN = '(hidden)'

type Members = Record<string, unknown>

/** What stands in for an object where it is printed; one for each, or a printer would see no circle. */
const standIns = new WeakMap<object, Members>()

/**
 * Makes `util.inspect`, and so the console, and `JSON.stringify` print `config` without its passwords.
 * A copy by spreading is the application's own: the console prints it without, `JSON.stringify` as it is.
 */
export function hideSecrets(config: object): void {
  Object.assign(config, { [inspect.custom]: printedConfig })
  printsItselfBy(config, printedConfig)
}

/**
 * The same for a connection: the driver gives each a config of its own, and copies the passwords into the
 * command that runs. Does not hold for a command that the driver returned to the application.
 */
export function hideSecretsOf(connection: DriverConnection): void {
  hideSecrets(connection.config)
  Object.defineProperty(connection, inspect.custom, { value: printedConnection })
  printsItselfBy(connection, printedConnection)
}

/** Not enumerable: the driver complains of options that it does not know. */
function printsItselfBy(object: object, print: (this: object) => object): void {
  Object.defineProperty(object, 'toJSON', { value: print, configurable: true })
}

/** Returns what is to be printed instead; a text of its own would lose the printer's depth and its sense of circles. */
function printedConfig(this: object): object {
  return withoutSecrets(this)
}

function printedConnection(this: object): object {
  const { _command: command, _commands: waiting } = this as DriverConnection
  return standInFor(this, { ...this, _command: commandWithoutSecrets(command), _commands: waiting.length })
}

function commandWithoutSecrets(command: unknown): unknown {
  if (typeof command !== 'object' || command === null) return command
  const { options } = command as { options?: unknown }
  const shown = withoutSecrets(command)
  if (typeof options === 'object' && options !== null) shown['options'] = withoutSecrets(options)
  return shown
}

function withoutSecrets(object: object): Members {
  const shown: Members = { ...object }
  for (const name of SECRETS) if (shown[name] !== undefined) shown[name] = HIDDEN
  // Would be asked again, and again.
  Reflect.deleteProperty(shown, inspect.custom)
  return standInFor(object, shown)
}

function standInFor(object: object, shown: Members): Members {
  // With the object's own class, whose name is printed.
  const standIn = standIns.get(object) ?? (Object.create(Object.getPrototypeOf(object) as object) as Members)
  standIns.set(object, standIn)
  return Object.assign(standIn, shown)
}
