/** @leasehold/core/aws: credentials from AWS, metrics to it. Loads no AWS SDK until the first of them is asked for. */

export { cloudWatch, type CloudWatchOptions } from './cloudwatch.ts'
export { emf, type EmfOptions } from './emf.ts'
export type { AwsIdentity, AwsIdentityProvider } from './identity.ts'
export { iamToken, type IamTokenOptions } from './iam-token.ts'
export { secret, type SecretEndpoint, type SecretOptions, type SecretSource } from './secret.ts'
export type { SecretProperties } from './secret-value.ts'
export { sidecarMetrics, type SidecarMetricsOptions } from './sidecar-metrics.ts'
