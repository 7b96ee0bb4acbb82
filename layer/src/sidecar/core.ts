/** What the sidecar has of core beyond its public face: it is bundled from the same sources, and released with them. */

export { cloudWatch } from '../../../packages/core/src/aws/cloudwatch.ts'
export { isOfService, nameOf } from '../../../packages/core/src/aws/failure.ts'
export { localPort, localToken } from '../../../packages/core/src/aws/local-http.ts'
export { loadCloudWatch } from '../../../packages/core/src/aws/put-metric-data.ts'
export { SecretReader } from '../../../packages/core/src/aws/secret-reader.ts'
export { type SecretAnswer, secretsManagerPlace } from '../../../packages/core/src/aws/secrets-manager.ts'
export { SingleFlight } from '../../../packages/core/src/aws/single-flight.ts'
export {
  type SignedToken,
  type SignToken,
  type TokenAsk,
  tokenSigner,
} from '../../../packages/core/src/aws/token-signer.ts'
export { type Clock, Moment, systemClock } from '../../../packages/core/src/clock.ts'
export { type Env, systemEnv } from '../../../packages/core/src/env.ts'
export { LeaseholdError } from '../../../packages/core/src/errors.ts'
export { consoleLogger, LimitedLog } from '../../../packages/core/src/log.ts'
export { ExtensionsApi } from '../../../packages/core/src/lambda/extensions-api.ts'
export { METRICS, type MetricsSink } from '../../../packages/core/src/metrics.ts'
export { systemRandom } from '../../../packages/core/src/random.ts'
export { Lines } from '../../../packages/core/src/sidecar/lines.ts'
export {
  type Answered,
  type Measurement,
  type MetricsPlace,
  type Said,
  socketOf,
  TOKEN_PATH,
} from '../../../packages/core/src/sidecar/protocol.ts'
