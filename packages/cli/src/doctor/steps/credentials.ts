/** Is there something to log in with? A source is asked as a pool would ask it. */

import { LeaseholdError } from '@leasehold/core'
import type { SecretSource } from '@leasehold/core/aws'

import { sourceIn } from '../../target/target.ts'
import type { Examination } from '../examination.ts'
import { fine, type Finding, goOn, stop, type StepOutcome, wrong } from '../finding.ts'

export async function examineCredentials(examination: Examination): Promise<StepOutcome> {
  const { options, place, redactor } = examination
  const source = sourceIn(options)
  if (source === undefined) return goOn(password(examination))
  try {
    if (isOfSecret(source)) await completeBy(examination, source)
    const { host, port, user } = examination.place
    const target = { host, port, user }
    const credential = await examination.within('the credential', (signal) =>
      redactor.knowing(source).get({ target, refusals: 0, signal }),
    )
    if (credential === undefined) return stop(wrong('CREDENTIALS_INVALID', 'the source gave none'))
    examination.credential = credential
    const as = credential.user ?? place.user
    if (as === undefined)
      return stop(wrong('CREDENTIALS_MISSING', 'neither the source nor the options name a user'))
    return goOn(fine(source.isClearText ? `a token for ${as}` : `user and password for ${as}`, { user: as }))
  } catch (error) {
    return stop(failed(examination, error))
  }
}

function password({ place, options }: Examination): Finding {
  if (place.user === undefined) return wrong('CREDENTIALS_MISSING', 'no user is given')
  const isGiven = place.password !== undefined || options['password'] !== undefined
  const summary = isGiven
    ? `a password for ${place.user}`
    : `no password for ${place.user}: the server may ask for none`
  return fine(summary, { user: place.user, password: isGiven })
}

function isOfSecret(source: object): source is SecretSource {
  return typeof (source as Partial<SecretSource>).endpoint === 'function'
}

/** Where the options don't say where to, the secret may. */
async function completeBy(examination: Examination, source: SecretSource): Promise<void> {
  const { host, port, database } = await examination.within('the secret', (signal) => source.endpoint(signal))
  const { options } = examination
  if (!isPlacedBySecret(examination) || host === undefined) return
  const more: Record<string, unknown> = { host }
  if (port !== undefined && options['port'] === undefined) more['port'] = port
  if (database !== undefined && options['database'] === undefined) more['database'] = database
  examination.complete(more)
}

/** Whether the host itself stands in a secret, which must be read first. */
export function isPlacedBySecret({ options, env }: Pick<Examination, 'options' | 'env'>): boolean {
  const source = sourceIn(options)
  const isPlaced = ['host', 'connectionString', 'uri'].some((name) => options[name] !== undefined)
  return source !== undefined && isOfSecret(source) && !isPlaced && env['PGHOST'] === undefined
}

function failed({ limitMs }: Examination, error: unknown): Finding {
  if (!LeaseholdError.is(error)) throw error
  if (error.code === 'CONNECT_TIMEOUT') {
    return wrong('CREDENTIALS_UNAVAILABLE', `the source gave nothing within ${limitMs} ms`)
  }
  // Its message says what, and what to do.
  const code = error.code === 'CREDENTIALS_UNAVAILABLE' ? 'CREDENTIALS_UNAVAILABLE' : 'CREDENTIALS_INVALID'
  return wrong(code, error.message)
}
