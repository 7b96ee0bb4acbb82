/** Tokens in place of passwords: RDS, Aurora, RDS Proxy and Aurora DSQL with IAM. */

import { LRUCache } from 'lru-cache'

import { type Clock, systemClock } from '../clock.ts'
import {
  type Credential,
  type CredentialRequest,
  type CredentialSource,
  type CredentialTarget,
  isSameCredential,
  newCredential,
} from '../credentials.ts'
import { within } from '../deadline.ts'
import { type Env, systemEnv } from '../env.ts'
import { LeaseholdError } from '../errors.ts'
import type { Surroundings } from '../surroundings.ts'
import { checkOptions } from './check.ts'
import { failureOf } from './failure.ts'
import { RenewalFloors } from './floor.ts'
import type { AwsIdentity, AwsIdentityProvider } from './identity.ts'
import { canonicalHost, regionOfEnv, regionOfHost, type TokenService } from './region.ts'
import { sidecarProblems, sidecarSigner } from './sidecar-signer.ts'
import { SingleFlight, whileWanted } from './single-flight.ts'
import { type SignedToken, type SignToken, type TokenAsk, tokenSigner } from './token-signer.ts'

/** A token is renewed this long before it can no longer be used: a connect takes time. */
const RENEW_BEFORE_MS = 60_000

/** A token that the server refuses is signed again at most this often, doubling while it is in vain. */
const FORCED_EVERY_MS = 1_000

const MOST_TOKENS = 100

export interface IamTokenOptions {
  /**
   * The database's region.
   * @defaultValue the region in the host name, then `AWS_REGION`, then `AWS_DEFAULT_REGION`
   */
  readonly region?: string | undefined
  /**
   * Sign for this host instead of the one connected to: the endpoint behind a CNAME or a tunnel. It is
   * not connected to.
   * @defaultValue the pool's host
   */
  readonly hostname?: string | undefined
  /**
   * Sign for this port instead of the one connected to: the endpoint's, behind a tunnel. 1 to 65 535.
   * @defaultValue the pool's port
   */
  readonly port?: number | undefined
  /**
   * `rds`: RDS, Aurora and RDS Proxy. `dsql`: Aurora DSQL.
   * @defaultValue 'rds'
   */
  readonly service?: 'rds' | 'dsql' | undefined
  /**
   * Aurora DSQL: sign for the role `admin` (`dsql:DbConnectAdmin`). No meaning for `rds`.
   * @defaultValue true where the pool's user is `admin`
   */
  readonly admin?: boolean | undefined
  /**
   * Who signs. A function is called for every new token.
   * @defaultValue the environment's credentials, as Lambda sets them; else the SDK's chain of providers
   */
  readonly credentials?: AwsIdentity | AwsIdentityProvider | undefined
  /**
   * How long finding the signing credentials may take. Milliseconds, 1 to 60 000. Signing itself needs
   * no network. Does not lengthen the deadline of a connect.
   * @defaultValue 3000
   */
  readonly limitMs?: number | undefined
  /**
   * `signer`: signed in this process. `sidecar`: asked for at the layer's sidecar, which signs one for all processes
   * and threads of the environment with its own credentials; signed here where it does not answer within a second,
   * and after a refusal. Not together with `credentials`.
   * @defaultValue 'signer'
   */
  readonly source?: 'signer' | 'sidecar' | undefined
}

/**
 * A token of IAM in place of a password, made for the host, port and user of each new connection. Cached,
 * and renewed 60 s before it ends: after 15 minutes, or with the credentials that signed it. Many
 * connects share one signing, and pools may share the source. A token only logs in: sessions live on.
 *
 * `get` rejects with `CREDENTIALS_INVALID` where no token can be made (no user, no region, a host that is
 * not AWS's, expired credentials), with `CREDENTIALS_UNAVAILABLE` where the signing credentials could not
 * be had in time.
 *
 * @throws LeaseholdError `INVALID_OPTIONS`
 */
export function iamToken(options: IamTokenOptions = {}, surroundings: Surroundings = {}): CredentialSource {
  checkOptions(
    'iamToken',
    options,
    {
      region: { kind: 'text' },
      hostname: { kind: 'text' },
      port: { kind: 'whole', min: 1, max: 65_535 },
      service: { kind: 'choice', choices: ['rds', 'dsql'] },
      admin: { kind: 'yesNo' },
      credentials: { kind: 'identity' },
      limitMs: { kind: 'wholeMs', min: 1, max: 60_000 },
      source: { kind: 'choice', choices: ['signer', 'sidecar'] },
    },
    sidecarProblems(options),
  )
  return new IamTokenSource(options, surroundings)
}

/** One token's place: what is signed, and the signing under way. */
class Place {
  readonly flight: SingleFlight<Credential>
  signed: SignedToken | undefined
  credential: Credential | undefined
  /** Why the last signing failed. */
  failure: unknown

  constructor(clock: Clock, limitMs: number) {
    this.flight = new SingleFlight(clock, limitMs)
  }
}

class IamTokenSource implements CredentialSource {
  readonly isClearText = true
  readonly #options: IamTokenOptions
  readonly #clock: Clock
  readonly #env: Env
  readonly #signAnew: SignToken
  readonly #sign: SignToken
  readonly #limitMs: number
  readonly #floors: RenewalFloors
  readonly #places = new LRUCache<string, Place>({ max: MOST_TOKENS })

  constructor(options: IamTokenOptions, { clock = systemClock, env = systemEnv }: Surroundings) {
    this.#options = { ...options }
    this.#clock = clock
    this.#env = env
    this.#limitMs = options.limitMs ?? 3_000
    this.#signAnew = tokenSigner(options.credentials, clock, env)
    this.#sign = options.source === 'sidecar' ? sidecarSigner(this.#signAnew, clock, env) : this.#signAnew
    this.#floors = new RenewalFloors(clock, FORCED_EVERY_MS)
  }

  async get(request: CredentialRequest): Promise<Credential | undefined> {
    request.signal.throwIfAborted()
    if (request.refusals >= 2) return undefined
    const ask = askOf(request.target, this.#options, this.#env)
    const key = JSON.stringify([ask.host, ask.port, ask.user, ask.region, ask.isAdmin])
    const place = this.#placeOf(key)
    const credential = await this.#get(request, key, place, () => this.#renew(place, ask, request))
    if (credential !== undefined && place.signed !== undefined) {
      request.observe?.('TokenAge', place.signed.signed.elapsedMs(this.#clock) / 1_000)
    }
    return credential
  }

  async #get(
    { refusals, refused, signal }: CredentialRequest,
    key: string,
    place: Place,
    renew: () => Promise<Credential>,
  ): Promise<Credential | undefined> {
    const { credential } = place
    const usableMs = this.#usableMs(place)
    if (credential === undefined) return whileWanted(renew(), signal)
    if (refusals === 0) {
      if (usableMs > RENEW_BEFORE_MS) return credential
      // What cannot be renewed may be used to its end.
      return whileWanted(usableMs > 0 ? renew().catch(() => credential) : renew(), signal)
    }
    const isKnownRefused = refused?.some((other) => isSameCredential(other, credential))
    // Another connect's refusal has brought a newer one already.
    if (isKnownRefused === false && usableMs > 0) return credential
    // It is bringing one now.
    if (place.flight.isUnderWay()) return whileWanted(renew(), signal)
    if (this.#floors.leftMs(key) > 0) {
      if (place.failure !== undefined) throw place.failure
      return isKnownRefused === true ? undefined : credential
    }
    this.#floors.begin(key)
    const renewed = await whileWanted(renew(), signal)
    this.#floors.end(key, false)
    return renewed
  }

  #placeOf(key: string): Place {
    const known = this.#places.get(key)
    if (known !== undefined) return known
    const place = new Place(this.#clock, this.#limitMs)
    this.#places.set(key, place)
    return place
  }

  #usableMs({ signed }: Place): number {
    return signed === undefined ? 0 : signed.lifeMs - signed.signed.elapsedMs(this.#clock)
  }

  #renew(place: Place, ask: TokenAsk, { observe, refusals }: CredentialRequest): Promise<Credential> {
    return place.flight.run(async () => {
      try {
        const limit = 'finding the credentials that sign'
        // Whoever keeps tokens for others has the one that was refused.
        const sign = refusals > 0 ? this.#signAnew : this.#sign
        const signed = await within(this.#clock, this.#limitMs, limit, () => sign(ask))
        place.signed = signed
        place.credential = newCredential(ask.user, signed.token)
        place.failure = undefined
        observe?.('TokensRenewed', 1)
        return place.credential
      } catch (error) {
        const what = `a token for ${ask.host}:${ask.port}`
        const ifUnavailable = 'can the function reach what gives it its AWS credentials?'
        place.failure = failureOf(error, { what, limitMs: this.#limitMs, attempts: 0, ifUnavailable })
        throw place.failure
      }
    })
  }
}

/** @throws LeaseholdError `CREDENTIALS_INVALID` where no server would take the token */
function askOf(target: CredentialTarget, options: IamTokenOptions, env: Env): TokenAsk {
  const { service = 'rds' } = options
  const host = canonicalHost(options.hostname ?? target.host)
  const ofHost = regionOfHost(host, service)
  const { user } = target
  if (service === 'rds' && !user) throw invalid('a token needs the name of the database user: set `user`')
  if (ofHost === undefined && options.hostname === undefined) throw invalid(foreignHost(host, service))
  const region = options.region ?? ofHost ?? regionOfEnv(env)
  if (region === undefined) throw invalid('a token needs a region: set `region`, or AWS_REGION')
  const port = options.port ?? target.port
  const isAdmin = service === 'dsql' && (options.admin ?? user === 'admin')
  return { service, host, port, user, region, isAdmin }
}

function foreignHost(host: string, service: TokenService): string {
  const name = service === 'dsql' ? 'Aurora DSQL' : 'RDS, Aurora or RDS Proxy'
  return (
    `\`${host}\` is not an endpoint of ${name}, and a token for a CNAME or an address does not work: ` +
    'connect to the endpoint itself, or name the endpoint to sign for by `iamToken({ hostname })`'
  )
}

function invalid(message: string): LeaseholdError {
  return new LeaseholdError('CREDENTIALS_INVALID', message)
}
