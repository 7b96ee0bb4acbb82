/** The driver's config of one connection, in a copy that nobody else changes. */

import type { DriverConfig } from './driver.ts'

export function copyOf(config: DriverConfig): DriverConfig {
  return Object.create(
    Object.getPrototypeOf(config) as object,
    Object.getOwnPropertyDescriptors(config),
  ) as DriverConfig
}
