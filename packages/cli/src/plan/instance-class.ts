/** Memory and processors of RDS instance classes: families in which both follow from the size. */

import { UsageError } from '../target/usage.ts'

export interface InstanceSize {
  /** As AWS names it. What the server gets of it is less. */
  readonly nominalGiB: number
  readonly cores: number
}

interface Family {
  readonly names: readonly string[]
  readonly gibPerCore: number
  readonly sizes: readonly string[]
}

const COMMON = ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge'] as const
const TO_24 = [...COMMON, '24xlarge'] as const
const TO_32 = [...TO_24, '32xlarge'] as const
const TO_48 = [...TO_24, '48xlarge'] as const

/** Source: Amazon RDS User Guide, "Hardware specifications for DB instance classes". */
const FAMILIES: readonly Family[] = [
  { names: ['m5', 'm5d'], gibPerCore: 4, sizes: TO_24 },
  { names: ['m6g', 'm6gd', 'm7g'], gibPerCore: 4, sizes: COMMON },
  { names: ['m6i', 'm6id'], gibPerCore: 4, sizes: TO_32 },
  { names: ['m7i', 'm8g', 'm8gd'], gibPerCore: 4, sizes: TO_48 },
  { names: ['r5', 'r5b', 'r5d'], gibPerCore: 8, sizes: TO_24 },
  { names: ['r6g', 'r6gd', 'r7g'], gibPerCore: 8, sizes: COMMON },
  { names: ['r6i', 'r6id'], gibPerCore: 8, sizes: TO_32 },
  { names: ['r7i', 'r8g', 'r8gd'], gibPerCore: 8, sizes: TO_48 },
  { names: ['x2g'], gibPerCore: 16, sizes: COMMON },
]

/** Burstable classes have two processors up to `large`. */
const BURSTABLE: Readonly<Record<string, InstanceSize>> = {
  micro: { nominalGiB: 1, cores: 2 },
  small: { nominalGiB: 2, cores: 2 },
  medium: { nominalGiB: 4, cores: 2 },
  large: { nominalGiB: 8, cores: 2 },
  xlarge: { nominalGiB: 16, cores: 4 },
  '2xlarge': { nominalGiB: 32, cores: 8 },
}
const BURSTABLE_FAMILIES = ['t3', 't4g']

const INSTANCE_FAMILIES: readonly string[] = [
  ...BURSTABLE_FAMILIES,
  ...FAMILIES.flatMap(({ names }) => names),
]

/** Every class that is known. */
export const INSTANCE_CLASSES: readonly string[] = [
  ...BURSTABLE_FAMILIES.flatMap((name) => Object.keys(BURSTABLE).map((size) => `db.${name}.${size}`)),
  ...FAMILIES.flatMap(({ names, sizes }) =>
    names.flatMap((name) => sizes.map((size) => `db.${name}.${size}`)),
  ),
]

/** @throws UsageError for a class that is not known */
export function instanceSize(instanceClass: string): InstanceSize {
  const [, familyName = '', size = ''] = /^db\.([a-z0-9]+)\.([a-z0-9]+)$/.exec(instanceClass) ?? []
  const burstable = BURSTABLE_FAMILIES.includes(familyName) ? BURSTABLE[size] : undefined
  if (burstable !== undefined) return burstable
  const family = FAMILIES.find(({ names }) => names.includes(familyName))
  if (family?.sizes.includes(size) === true) {
    const cores = coresOf(size)
    return { nominalGiB: cores * family.gibPerCore, cores }
  }
  const known =
    family === undefined && !BURSTABLE_FAMILIES.includes(familyName)
      ? `classes are named like db.r6g.large, of the families ${INSTANCE_FAMILIES.join(', ')}`
      : `db.${familyName} has ${(family?.sizes ?? Object.keys(BURSTABLE)).join(', ')}`
  throw new UsageError(
    `the instance class \`${instanceClass}\` is not known: ${known}. Else give the limit itself: --max-connections, or the server's URL`,
  )
}

/** Two for `large`, and four for each `xlarge`. */
function coresOf(size: string): number {
  return size === 'large' ? 2 : 4 * Number(size.replace('xlarge', '') || 1)
}
