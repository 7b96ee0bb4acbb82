/** Does what answers at the port speak the engine's protocol? */

import { LeaseholdError } from '@leasehold/core'

import { protocolName } from '../../target/target.ts'
import type { Examination } from '../examination.ts'
import { fine, goOn, skipped, stop, type StepOutcome, wrong } from '../finding.ts'
import { greet, type Greeting } from './greeting.ts'

/** ER_CON_COUNT_ERROR; the account's own limits are looked at after the login. */
const TOO_MANY = 1040

export async function examineProtocol(examination: Examination): Promise<StepOutcome> {
  const { limitMs, place, socket, target } = examination
  const name = protocolName(target.protocol)
  if (socket === undefined || place.tls.isDirect) return goOn(skipped('TLS begins with the first byte'))
  try {
    const greeting = await examination.within('a greeting', (signal) =>
      greet(target.protocol, socket, signal),
    )
    return judged(examination, greeting, name)
  } catch (error) {
    if (!LeaseholdError.is(error)) throw error
    return stop(wrong('SERVER_SILENT', `the port is open, and no ${name} spoke within ${limitMs} ms`))
  }
}

function judged(examination: Examination, greeting: Greeting, name: string): StepOutcome {
  const { place, socket } = examination
  switch (greeting.kind) {
    case 'speaks': {
      const version = greeting.version === undefined ? '' : ` ${greeting.version}`
      examination.offersTls = greeting.offersTls
      return goOn(fine(`speaks as ${name} does${version}`, { offersTls: greeting.offersTls }))
    }
    case 'refuses':
      if (greeting.errno === TOO_MANY)
        return stop(wrong('SATURATED', 'the server has no slot for this login (1040)'))
      return stop(
        wrong('HOST_REFUSED', `the server refuses this address before the login (${greeting.errno})`),
      )
    case 'other':
      return stop(
        wrong('WRONG_PROTOCOL', `${place.host}:${place.port} is not ${name}`, {
          ...(greeting.looksLike === undefined
            ? {}
            : { remedy: `It is ${greeting.looksLike}: say so by --engine, or take the right port.` }),
        }),
      )
    case 'closed':
      socket?.destroy()
      return stop(
        wrong('SERVER_SILENT', 'the connection was taken, and closed again before a word was said', {
          remedy: 'A load balancer or tunnel with nothing behind it, or another service: look at that end.',
        }),
      )
  }
}
