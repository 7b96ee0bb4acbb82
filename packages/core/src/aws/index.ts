/** @leasehold/core/aws: credentials from AWS. Loads no AWS SDK until the first of them is asked for. */

export type { AwsIdentity, AwsIdentityProvider } from './identity.ts'
export { iamToken, type IamTokenOptions } from './iam-token.ts'
export { secret, type SecretEndpoint, type SecretOptions, type SecretSource } from './secret.ts'
export type { SecretProperties } from './secret-value.ts'
