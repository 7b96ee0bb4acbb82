// What serverless-postgres 2.1.2 gets wrong, one test for each weakness known; the ancestor fails those that it is run on.
import { availability, type DatabaseServer } from '@leasehold/test-databases'
import { describe, it } from 'vitest'

import { losses } from './losses.ts'
import { sceneFor, type Subject } from './scene.ts'
import { upkeep } from './upkeep.ts'

export function weaknesses(title: string, start: () => Promise<DatabaseServer>, subject: Subject): void {
  describe(title, () => {
    const scene = sceneFor(start, subject)
    losses(scene)
    upkeep(scene)
  })
}

/** A server that is not here is said to be missing. */
export async function weaknessesWhereInstalled(
  name: string,
  start: () => Promise<DatabaseServer>,
  subject: Subject,
): Promise<void> {
  const known = (await availability()).find((server) => server.name === name)
  const isRequired = (process.env['LEASEHOLD_REQUIRE'] ?? '').split(',').includes(name)
  if (known?.available === true || isRequired) {
    weaknesses(`ServerlessClient on ${name}`, start, subject)
    return
  }
  describe.skipIf(true)(`${name} is not on this machine: ${known?.remedy}`, () => {
    it('has none of the weaknesses', () => {})
  })
}
