/**
 * The promise faces of older drivers reject with a copy of the error, and what is not copied is lost: our
 * details, our own errors, a signal's reason. Here they reject with the error itself, as newer ones do.
 */

import type { DriverConnection, DriverPool } from './driver.ts'
import { STATEMENT_METHODS } from './statement.ts'

type Method = (...args: unknown[]) => unknown
/** What both faces, and what is behind them, have of these. */
type Members = Record<string, unknown>

interface Face extends Members {
  readonly Promise: PromiseConstructor
  getConnection?: () => Promise<object>
}

const CONNECTION_METHODS = [...STATEMENT_METHODS, 'beginTransaction', 'commit', 'rollback', 'ping']

/** The faces of this pool keep errors whole from now on. */
export function mendPool(pool: DriverPool): void {
  const promise = pool.promise.bind(pool)
  pool.promise = (promiseClass) => {
    const face = promise(promiseClass) as Face
    if (!losesErrors(face)) return face
    const { getConnection } = face
    face.getConnection = async () => {
      const connection = (await getConnection?.call(face)) as Face & { connection: Members }
      return mend(connection, connection.connection, CONNECTION_METHODS)
    }
    return mend(face, pool as unknown as Members, STATEMENT_METHODS)
  }
}

/** The faces of this connection keep errors whole from now on. */
export function mendConnection(connection: DriverConnection): void {
  const promise = connection.promise.bind(connection)
  connection.promise = (promiseClass) => {
    const face = promise(promiseClass) as Face
    return losesErrors(face) ? mend(face, connection as unknown as Members, CONNECTION_METHODS) : face
  }
}

function mend(face: Face, core: Members, methods: readonly string[]): Face {
  for (const name of methods) {
    const base = face[name] as Method
    const mended: Method = (...args) => {
      // The driver's own word on a callback.
      if (typeof args.at(-1) === 'function') return base.apply(face, args)
      const { Promise: PromiseClass } = face
      const callers: { stack?: string } = {}
      Error.captureStackTrace(callers, mended)
      return new PromiseClass((resolve, reject) => {
        const given = args.filter((arg) => arg !== undefined)
        ;(core[name] as Method).call(core, ...given, (error: unknown, rows: unknown, fields: unknown) => {
          if (error) reject(withStack(error, callers.stack))
          else resolve(name === 'ping' ? true : [rows, fields])
        })
      })
    }
    face[name] = mended
  }
  return face
}

/** As newer drivers do: the stack leads back to the caller instead of into the socket. */
function withStack(error: unknown, stack: string | undefined): unknown {
  if (error instanceof Error && stack !== undefined) {
    error.stack = [`${error.name}: ${error.message}`, ...stack.split('\n').slice(1)].join('\n')
  }
  return error
}

const known = new WeakMap<object, boolean>()

/** Tries it out, once for each class of faces: on a pool or connection that fails whatever it is asked. */
function losesErrors(face: Face): boolean {
  const faces = Object.getPrototypeOf(face) as Members
  const answer = known.get(faces)
  if (answer !== undefined) return answer
  const failure = new Error('tried out')
  const config = { connectionConfig: {} }
  const failing = { config, query: (_sql: unknown, done: (error: Error) => void) => done(failure) }
  let told: unknown = failure
  // In the place of the promise class: nothing of it waits for anything.
  const Told = function (work: (resolve: () => void, reject: (error: unknown) => void) => void): void {
    work(ignore, (error) => {
      told = error
    })
  }
  try {
    ;(faces['query'] as Method).call({ pool: failing, connection: failing, Promise: Told }, '')
  } catch {
    // Of another make than any that is known: left as it is.
  }
  known.set(faces, told !== failure)
  return told !== failure
}

function ignore(): void {}
