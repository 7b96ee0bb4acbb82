/** @leasehold/core/lambda: a function's part in its environment's life, as an internal extension of Lambda's. */

export {
  type ExtensionStatus,
  type InvocationListener,
  lambdaExtension,
  type LambdaExtensionOptions,
} from './lambda-extension.ts'
export { sidecarPlaces, type SidecarPlacesOptions } from './sidecar-places.ts'
