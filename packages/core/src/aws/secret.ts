/** Passwords from Secrets Manager that survive their rotation. */

import { type Clock, systemClock } from '../clock.ts'
import type { Credential, CredentialRequest, CredentialSource } from '../credentials.ts'
import { systemEnv } from '../env.ts'
import type { Observe } from '../metrics.ts'
import { systemRandom } from '../random.ts'
import type { Surroundings } from '../surroundings.ts'
import { checkOptions, type Rule } from './check.ts'
import { RenewalFloors } from './floor.ts'
import type { AwsIdentity, AwsIdentityProvider } from './identity.ts'
import { SecretReader } from './secret-reader.ts'
import type { SecretEndpoint, SecretProperties } from './secret-value.ts'
import { CURRENT, SecretVersions } from './secret-versions.ts'
import { extensionPlace } from './secrets-extension.ts'
import { secretsManagerPlace } from './secrets-manager.ts'
import { sidecarPlace, sidecarSecretProblems } from './sidecar-secret.ts'
import { SingleFlight, whileWanted } from './single-flight.ts'

export type { SecretEndpoint } from './secret-value.ts'

/** A refused password is read again at most this often, doubling while that brings nothing new. */
const FORCED_EVERY_MS = 1_000

/** A connect waits this long for its turn to renew; longer waits are not worth a deadline. */
const MOST_TURN_MS = 1_000

export interface SecretOptions {
  /**
   * How long a version is used before it is read again. Milliseconds, 0 to 86 400 000; jittered from half
   * of it to all. The old one serves while the new one is read. 0 reads it for every connect.
   * @defaultValue 300000
   */
  readonly ttlMs?: number | undefined
  /**
   * The staging label of the version to use. With any other than the default, no rotation is looked for.
   * @defaultValue 'AWSCURRENT'
   */
  readonly versionStage?: string | undefined
  /** Names of the properties of a JSON secret. Not used for a plain one, which is the password itself. */
  readonly properties?: SecretProperties | undefined
  /**
   * `secrets-manager`: by the AWS SDK. `extension`: from the AWS Parameters and Secrets extension or the
   * Secrets Manager Agent on localhost, whose own cache (300 s) comes on top of `ttlMs`. `sidecar`: from the layer's
   * sidecar, in the same way; where there is none, or none that answers within a second, by the AWS SDK.
   * @defaultValue 'secrets-manager'
   */
  readonly source?: 'secrets-manager' | 'extension' | 'sidecar' | undefined
  /**
   * The secret's region. Not used by the extension, and not for the sidecar, which takes the ARN's.
   * @defaultValue the region in the ARN, then `AWS_REGION`, then `AWS_DEFAULT_REGION`
   */
  readonly region?: string | undefined
  /** Secrets Manager's address, where it is not AWS's own. Not used by the extension. */
  readonly endpoint?: string | undefined
  /**
   * Who asks. Not used by the extension. Not together with `source: 'sidecar'`.
   * @defaultValue the environment's credentials, as Lambda sets them; else the SDK's chain of providers
   */
  readonly credentials?: AwsIdentity | AwsIdentityProvider | undefined
  /**
   * How long reading a version may take, with up to five attempts. Milliseconds, 1 to 60 000. Does not
   * lengthen the deadline of a connect.
   * @defaultValue 3000
   */
  readonly limitMs?: number | undefined
}

export interface SecretSource extends CredentialSource {
  /**
   * Host, port and database in the secret, for a pool's options; each undefined where the secret does not
   * say. Rejects as `get` does.
   */
  endpoint(signal?: AbortSignal): Promise<SecretEndpoint>
}

/**
 * User and password from AWS Secrets Manager: read once, kept for `ttlMs`, shared by whatever connects and
 * by all pools that are given this source. A failed reading is never kept; the last good one serves on.
 *
 * When the server refuses what it was given, the secret is read again at once:
 *
 * - One user, password replaced in place: the database has the new password before AWSCURRENT has it. In
 *   between AWSPENDING alone works. It is tried, and used first until AWSCURRENT changes.
 * - Two users in turn: both keep working for a whole rotation; the user's name comes from the secret, each
 *   time. Whoever missed a whole rotation finds the new one in AWSCURRENT.
 * - A wrong password: nothing new is found, and the driver's own error surfaces. The secret is then read
 *   again after 1 s at the earliest, doubling to 32 s.
 *
 * `get` rejects with `CREDENTIALS_UNAVAILABLE` where waiting may help, else with `CREDENTIALS_INVALID`.
 *
 * @param secretId ARN or name
 * @throws LeaseholdError `INVALID_OPTIONS`
 */
export function secret(
  secretId: string,
  options: SecretOptions = {},
  surroundings: Surroundings = {},
): SecretSource {
  const isNamed = typeof secretId === 'string' && secretId !== ''
  const unnamed = isNamed ? [] : ['the first argument must be an ARN or a name']
  checkOptions('secret', options, RULES, [...unnamed, ...sidecarSecretProblems(secretId, options)])
  checkOptions('secret, in `properties`', options.properties ?? {}, PROPERTY_RULES)
  const { clock = systemClock, random = systemRandom, env = systemEnv } = surroundings
  const { versionStage = CURRENT, ttlMs = 300_000, properties = {}, limitMs = 3_000, source } = options
  const { region, endpoint, credentials } = options
  const ask = { secretId, region, endpoint, credentials }
  const place =
    source === 'extension'
      ? extensionPlace(secretId, env)
      : source === 'sidecar'
        ? sidecarPlace(ask, env, clock)
        : secretsManagerPlace(ask, env)
  const reader = new SecretReader(place, limitMs, clock, random)
  const versionOptions = { versionStage, ttlMs, properties: { ...properties } }
  const versions = new SecretVersions(reader, versionOptions, limitMs, clock, random)
  return new VersionedSource(versions, versionStage === CURRENT, limitMs, clock)
}

const TEXT: Rule = { kind: 'text' }

const RULES: Readonly<Record<string, Rule>> = {
  ttlMs: { kind: 'wholeMs', min: 0, max: 86_400_000 },
  versionStage: TEXT,
  properties: { kind: 'object' },
  source: { kind: 'choice', choices: ['secrets-manager', 'extension', 'sidecar'] },
  region: TEXT,
  endpoint: TEXT,
  credentials: { kind: 'identity' },
  limitMs: { kind: 'wholeMs', min: 1, max: 60_000 },
}

const PROPERTY_RULES: Readonly<Record<keyof SecretProperties, Rule>> = {
  user: TEXT,
  password: TEXT,
  host: TEXT,
  port: TEXT,
  database: TEXT,
}

class VersionedSource implements SecretSource {
  readonly isClearText = false
  readonly #versions: SecretVersions
  readonly #followsRotation: boolean
  readonly #clock: Clock
  readonly #floors: RenewalFloors
  readonly #renewal: SingleFlight<void>
  /** Why the last renewal could not tell whether there is anything new. */
  #failure: unknown

  constructor(versions: SecretVersions, followsRotation: boolean, limitMs: number, clock: Clock) {
    this.#versions = versions
    this.#followsRotation = followsRotation
    this.#clock = clock
    this.#floors = new RenewalFloors(clock, FORCED_EVERY_MS)
    // Three readings at the most.
    this.#renewal = new SingleFlight(clock, 3 * limitMs)
  }

  async endpoint(signal: AbortSignal = new AbortController().signal): Promise<SecretEndpoint> {
    return (await whileWanted(this.#versions.preferred(), signal)).endpoint
  }

  async get(request: CredentialRequest): Promise<Credential | undefined> {
    const { observe } = request
    const credential = await this.#get(request)
    if (credential === undefined || observe === undefined) return credential
    observe('SecretAge', this.#versions.ageMs / 1_000)
    if (this.#versions.isStale) observe('SecretsServedStale', 1)
    return credential
  }

  async #get(request: CredentialRequest): Promise<Credential | undefined> {
    const { observe, refusals, signal } = request
    const versions = this.#versions
    signal.throwIfAborted()
    if (refusals === 0) return (await whileWanted(versions.preferred(observe), signal)).credential
    if (request.refused === undefined && refusals > 2) return undefined
    const refused = request.refused ?? this.#assumed()
    const known = versions.prefer(refused)
    // Another connect's refusal has brought it already.
    if (known !== undefined) return known
    const target = JSON.stringify([request.target.host, request.target.port])
    if (this.#renewal.isUnderWay()) {
      await whileWanted(
        this.#renewal.run(() => Promise.resolve()),
        signal,
      )
      const found = versions.prefer(refused)
      if (found !== undefined) return found
    }
    const turnMs = this.#floors.leftMs(target)
    if (turnMs > MOST_TURN_MS) {
      if (this.#failure !== undefined) throw this.#failure
      return undefined
    }
    if (turnMs > 0) await this.#clock.sleep(turnMs, signal)
    const renewal = this.#renewal.run(() => this.#renew(target, refused, observe))
    await whileWanted(renewal, signal)
    return versions.prefer(refused)
  }

  /** Where nobody says what was refused: what is kept, pending or current. */
  #assumed(): readonly Credential[] {
    const { current, pending, isPendingPreferred } = this.#versions
    const refused = isPendingPreferred ? [current, pending] : [current]
    return refused.flatMap((value) => (value === undefined ? [] : [value.credential]))
  }

  /**
   * Looks for what was not refused yet. AWSCURRENT is read once more where nothing is pending: a rotation
   * may have ended between the two.
   */
  async #renew(target: string, refused: readonly Credential[], observe?: Observe): Promise<void> {
    const versions = this.#versions
    const isFound = (): boolean => versions.prefer(refused) !== undefined
    this.#floors.begin(target)
    this.#failure = undefined
    try {
      await versions.readCurrent(true, observe)
      if (isFound() || !this.#followsRotation) return
      await versions.readPending(observe)
      if (!isFound()) await versions.readCurrent(true, observe)
    } catch (error) {
      this.#failure = error
      throw error
    } finally {
      this.#floors.end(target, isFound())
    }
  }
}
