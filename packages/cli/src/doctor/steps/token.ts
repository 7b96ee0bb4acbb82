/** Is the token signed for what is connected to? A token is a URL, and says so itself. */

import { isRdsHost } from '@leasehold/core'

import { sourceIn } from '../../target/target.ts'
import type { Examination } from '../examination.ts'
import { type Facts, fine, goOn, skipped, stop, type StepOutcome, wrong } from '../finding.ts'

/** What a token says of itself, without its signature and its session token. */
export interface TokenReading {
  readonly host: string
  readonly port: number | undefined
  readonly user: string | undefined
  readonly region: string | undefined
  /** In seconds after its signing. */
  readonly livesS: number | undefined
  readonly signedAt: string | undefined
}

/** Undefined where `text` is no token. */
export function readToken(text: string): TokenReading | undefined {
  if (!/[?&]X-Amz-Signature=/.test(text) || !URL.canParse(`https://${text}`)) return undefined
  const { hostname, port, searchParams } = new URL(`https://${text}`)
  const [, , region] = (searchParams.get('X-Amz-Credential') ?? '').split('/')
  const lives = Number(searchParams.get('X-Amz-Expires') ?? Number.NaN)
  return {
    host: hostname,
    port: port === '' ? undefined : Number(port),
    user: searchParams.get('DBUser') ?? undefined,
    region,
    livesS: Number.isNaN(lives) ? undefined : lives,
    signedAt: searchParams.get('X-Amz-Date') ?? undefined,
  }
}

export async function examineToken(examination: Examination): Promise<StepOutcome> {
  const { aliases, credential, options, place } = examination
  const token = credential === undefined ? undefined : readToken(credential.password)
  if (token === undefined) return goOn(skipped('no token of IAM'))
  const facts: Facts = {
    host: token.host,
    port: token.port,
    user: token.user,
    region: token.region,
    signedAt: token.signedAt,
  }
  const signedFor = token.port === undefined ? token.host : `${token.host}:${token.port}`
  if (sourceIn(options)?.isClearText === true && place.tls.wanted === 'no') {
    return stop(wrong('TOKEN_WITHOUT_TLS', 'the token would go over the wire as it is', { facts }))
  }
  // What is connected to by its own name, or by a name that leads to one.
  const endpoint = [place.host, ...aliases].map(canonical).find(isRdsHost)
  if (endpoint !== undefined && canonical(token.host) !== endpoint) {
    return stop(wrong('TOKEN_WRONG_HOST', `signed for ${signedFor}, connected to ${endpoint}`, { facts }))
  }
  if (token.region !== undefined && isRdsHost(token.host) && !token.host.split('.').includes(token.region)) {
    return stop(
      wrong('TOKEN_WRONG_REGION', `signed for ${token.region}, the endpoint is ${token.host}`, { facts }),
    )
  }
  const where =
    endpoint === undefined
      ? `signed for ${signedFor}; whether ${place.host} is that, the login shows`
      : `signed for ${signedFor}, ${token.region}, as ${token.user ?? 'nobody by name'}`
  return goOn(fine(where, facts))
}

function canonical(host: string): string {
  return host.toLowerCase().replace(/\.$/, '')
}
