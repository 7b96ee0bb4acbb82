/** DNS: does the host name lead to an address? */

import dns from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'

import { codeOf, isRdsHost, LeaseholdError } from '@leasehold/core'

import { isLocalSocket } from '../../target/place.ts'
import type { Examination } from '../examination.ts'
import { fine, goOn, skipped, stop, type StepOutcome, wrong } from '../finding.ts'

/** Names on the way: as many as a chain of CNAMEs plausibly has. */
const MOST_ALIASES = 5
const ALIAS_LIMIT_MS = 1_000

export async function examineName(examination: Examination): Promise<StepOutcome> {
  const { place } = examination
  const { host } = place
  if (isLocalSocket(place)) return goOn(skipped('a socket of this machine'))
  if (isIP(host) !== 0) {
    examination.addresses = [host]
    return goOn(fine(`${host} is an address`))
  }
  try {
    examination.addresses = await examination.within('looking the name up', () => addressesOf(host))
  } catch (error) {
    return stop(failed(host, error))
  }
  examination.aliases = isRdsHost(host) ? [] : await aliasesOf(examination, host)
  const { addresses, aliases } = examination
  const by = aliases.length === 0 ? '' : `, by way of ${aliases.join(' and ')}`
  return goOn(
    fine(`${host} is ${addresses.join(', ')}${by}`, {
      host,
      addresses: addresses.join(' '),
      aliases: aliases.join(' '),
    }),
  )
}

/** As sockets do it, with the machine's own files and order. */
function addressesOf(host: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    dns.lookup(host, { all: true }, (error, found) => {
      if (error) reject(error)
      else resolve(found.map(({ address }) => address))
    })
  })
}

function failed(host: string, error: unknown): ReturnType<typeof wrong> {
  const code = LeaseholdError.is(error) ? 'no answer in time' : codeOf(error)
  const isUnknown = code === 'ENOTFOUND' || code === 'ENODATA'
  return isUnknown
    ? wrong('NAME_NOT_FOUND', `no DNS server knows ${host} (${code})`, { facts: { host } })
    : wrong('NAME_LOOKUP_FAILED', `${host} could not be looked up (${code})`, { facts: { host } })
}

/** Only to say more: what fails here is no fault. */
async function aliasesOf(examination: Examination, host: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: ALIAS_LIMIT_MS, tries: 1 })
  const aliases: string[] = []
  const follow = async (): Promise<void> => {
    let name = host
    while (aliases.length < MOST_ALIASES) {
      const [next] = await resolver.resolveCname(name)
      if (next === undefined) return
      aliases.push(next)
      name = next
    }
  }
  await examination.within('looking for aliases', follow, ALIAS_LIMIT_MS).catch(() => resolver.cancel())
  return aliases
}
