/**
 * Stops one statement on the server: `KILL QUERY` over a short connection of its own. It names a session, not a
 * statement. So nothing else is sent on that session until it has been answered, or it could stop what comes
 * next; what is sent after the answer is safe, by test on MySQL 9.7 and MariaDB 10.11.
 */

import { EventEmitter } from 'node:events'
import { connect } from 'node:net'

import { type Credential, type Governor, within } from '@leasehold/core'

import { copyOf } from './config.ts'
import type { DriverCommand, DriverConnection } from './driver.ts'
import { cut, run } from './governed-connection.ts'
import { isStatement, refuse } from './guard.ts'
import { readableOf } from './readables.ts'
import { hideSecretsOf } from './secrets.ts'
import { shareContext } from './tls.ts'
import { logInAs } from './token.ts'

const CANCEL_LIMIT_MS = 1_000
/** A server without a free slot may have one in a moment. */
const BETWEEN_ATTEMPTS_MS = 50
/** A source that always has another credential must not hammer the server with them. */
const MOST_DENIALS = 3

type ConnectionClass = new (...args: unknown[]) => DriverConnection

/**
 * Resolves when the server has dealt with it, or when there is nothing to stop. Rejects where the server could
 * not be asked, and when `signal` aborts.
 */
export async function cancelStatement(
  connection: DriverConnection,
  governor: Governor,
  command: DriverCommand,
  signal: AbortSignal,
): Promise<void> {
  const isRunning = (): boolean =>
    connection._command === command || (isPreparing(connection) && connection._commands.get(0) === command)
  if (!isRunning()) {
    if (isWaiting(connection, command)) withdraw(command)
    return
  }
  const release = holdStatements(connection, connection._command === command ? 0 : 1)
  try {
    await kill(connection, governor, isRunning, signal)
  } finally {
    release()
  }
}

/** Stops whatever runs on the connection. Never rejects, and takes a second at most. */
export async function cancelRunning(connection: DriverConnection, governor: Governor): Promise<void> {
  const { _command: command } = connection
  if (!command) return
  await within(governor.clock, CANCEL_LIMIT_MS, 'cancelling', (signal) =>
    cancelStatement(connection, governor, command, signal),
  ).catch(() => undefined)
}

/** Stops what runs and says goodbye. Nothing that waits is sent. Resolves when the server has closed the session. */
export function leaving(connection: DriverConnection, governor: Governor): () => Promise<void> {
  return async () => {
    const { stream } = connection
    if (stream.destroyed) return
    // A pool cuts what fails in its hands, and no other close comes after that.
    const closed = new Promise<void>((resolve) => stream.once('close', resolve))
    if (connection._command) {
      quieten(connection._command)
      withdrawWaiting(connection)
      refuseStatements(connection)
      await cancelRunning(connection, governor)
    }
    // A pool that is ended now would throw: what says goodbye takes no second one.
    connection._removeFromPool?.()
    const end = connection._realEnd ?? connection.end
    end.call(connection, ignore)
    await closed
  }
}

/** The first half of an `execute`, whose second half comes next. */
function isPreparing({ _command: command }: DriverConnection): boolean {
  return command?.prepareHeader !== undefined
}

function isWaiting({ _commands: waiting }: DriverConnection, command: DriverCommand): boolean {
  for (let place = 0; place < waiting.length; place += 1) if (waiting.get(place) === command) return true
  return false
}

/** A transaction goes on after a statement that was stopped: a COMMIT that waits would commit the rest of it. */
function withdrawWaiting(connection: DriverConnection): void {
  const { _commands: waiting } = connection
  const withdrawn: DriverCommand[] = []
  // The second half of what runs is the driver's.
  const firstPlace = isPreparing(connection) ? 1 : 0
  for (let place = 0, count = waiting.length; place < count; place += 1) {
    const command = waiting.shift() as DriverCommand
    if (isStatement(command)) quieten(command)
    if (place >= firstPlace && isStatement(command)) withdrawn.push(command)
    else waiting.push(command)
  }
  for (const command of withdrawn) refuse(command, new Error('taken from the queue before it was sent'))
}

/** The same of what comes from now on: whoever hears that his statement was stopped may go on, and commit the rest. */
function refuseStatements(connection: DriverConnection): void {
  const add = connection.addCommand
  connection.addCommand = (command) => {
    if (!isStatement(command)) return add.call(connection, command)
    refuse(command, new Error('the connection is being closed'))
    return command
  }
}

/** A stream that is stopped may have nobody any more who hears of it, and unheard its error would end the process. */
function quieten(command: DriverCommand): void {
  if (command.onResult !== undefined) return
  command.on('error', ignore)
  readableOf(command)?.on('error', ignore)
}

/** As the driver does with the second half of an `execute` whose first half has failed. */
function withdraw(command: DriverCommand): void {
  command.start = () => null
  command.onResult?.(new Error('taken from the queue before it was sent'))
}

/** Takes its turn on a connection, and keeps it until it is opened. */
class Barrier extends EventEmitter {
  readonly onResult: () => void = ignore
  isOpen = false

  execute(): boolean {
    return this.isOpen
  }
}

/**
 * Sends nothing that waits on the connection until the result is called.
 *
 * @param firstCount so many are still to be sent
 */
function holdStatements(connection: DriverConnection, firstCount: number): () => void {
  const { _commands: waiting } = connection
  const barrier = new Barrier() as Barrier & DriverCommand
  for (let place = 0, count = waiting.length; place <= count; place += 1) {
    if (place === firstCount) waiting.push(barrier)
    if (place < count) waiting.push(waiting.shift() as DriverCommand)
  }
  return () => {
    barrier.isOpen = true
    if (connection._command === barrier) connection.handlePacket()
  }
}

async function kill(
  connection: DriverConnection,
  governor: Governor,
  isRunning: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { threadId } = connection
  if (threadId === null) throw new Error('the session has no number')
  const denied: Credential[] = []
  let denial: unknown
  for (;;) {
    signal.throwIfAborted()
    if (!isRunning()) return
    const credential = await credentialFor(connection, governor, denied, signal)
    if (credential === undefined && denial !== undefined) throw denial
    const killer = freshConnection(connection, governor, credential)
    const onAbort = (): void => cut(killer)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await connected(killer, signal)
      if (isRunning()) await run(killer, `kill query ${threadId}`)
      return
    } catch (error) {
      const kind = governor.dialect.classify(error)
      if (kind === 'auth' && credential !== undefined && denied.length < MOST_DENIALS) {
        denied.push(credential)
        denial = error
        continue
      }
      if (kind !== 'saturated') throw error
    } finally {
      signal.removeEventListener('abort', onAbort)
      cut(killer)
    }
    await governor.clock.sleep(BETWEEN_ATTEMPTS_MS, signal)
  }
}

/** What the source gives by now, or undefined: there is none, or it has nothing else. */
async function credentialFor(
  { config }: DriverConnection,
  { options }: Governor,
  denied: readonly Credential[],
  signal: AbortSignal,
): Promise<Credential | undefined> {
  const { host = 'localhost', port = 3306, user } = config
  const target = { host, port, user }
  const request = { target, refusals: denied.length, refused: denied, signal }
  const credential = await options.credentials?.get(request)
  signal.throwIfAborted()
  return credential
}

/** Of the driver's own making, from the session's config: nobody's but ours, and outside the pool. */
function freshConnection(
  connection: DriverConnection,
  governor: Governor,
  credential: Credential | undefined,
): DriverConnection {
  const { config, stream } = connection
  const { port = 3306, user } = config
  const copy = copyOf(config)
  const { leasehold: _label, ...attributes } = config.connectAttributes ?? {}
  copy.connectAttributes = attributes
  // Only its own user may stop a session. Where a secret names another by now, the session's own login still holds.
  const isItsUser = credential?.user === undefined || credential.user === user
  if (credential !== undefined && isItsUser) logInAs(copy, governor, credential, user)
  // A name may lead to many servers, and only one of them has the session; the name is still what TLS verifies.
  const { remoteAddress } = stream
  if (copy.stream === undefined && copy.socketPath === undefined && remoteAddress !== undefined) {
    copy.stream = () => connect({ host: remoteAddress, port }).setNoDelay(true)
  }
  const Connection = connection.constructor as ConnectionClass
  const isPooled = connection._removeFromPool !== undefined
  const options = { config: copy }
  const fresh = isPooled ? new Connection(null, options) : new Connection(options)
  fresh.on('error', ignore)
  hideSecretsOf(fresh)
  shareContext(fresh)
  return fresh
}

function connected(connection: DriverConnection, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    connection.connect((error) => (error ? reject(error) : resolve()))
  })
}

function ignore(): void {}
