/** TLS: offered, trusted, in date, for this host? As the driver would ask, but told in full. */

import { isIP, type Socket } from 'node:net'
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from 'node:tls'

import { codeOf, LeaseholdError, rdsTls } from '@leasehold/core'

import { isLocalSocket } from '../../target/place.ts'
import type { Examination } from '../examination.ts'
import {
  type Facts,
  fine,
  type Finding,
  goOn,
  skipped,
  stop,
  type StepOutcome,
  warning,
  wrong,
} from '../finding.ts'
import { askForTls } from './greeting.ts'

const LOCAL = ['localhost', '127.0.0.1', '::1']

const OUT_OF_DATE = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']

export async function examineTls(examination: Examination): Promise<StepOutcome> {
  const { offersTls, place, socket } = examination
  const { wanted } = place.tls
  if (isLocalSocket(place) || socket === undefined) return goOn(skipped('a socket of this machine'))
  if (wanted === 'no') {
    socket.destroy()
    return goOn(unencrypted(examination))
  }
  if (offersTls === false)
    return stop(wrong('TLS_NOT_OFFERED', 'TLS is asked for, and the server offers none'))
  try {
    askForTls(examination.target.protocol, socket)
    const secure = await examination.within('the TLS handshake', (signal) =>
      handshake(examination, socket, signal),
    )
    const findings = judged(examination, secure)
    secure.destroy()
    return findings.some(({ status }) => status === 'wrong') ? stop(...findings) : goOn(...findings)
  } catch (error) {
    const how = LeaseholdError.is(error) ? `not done within ${examination.limitMs} ms` : codeOf(error)
    return stop(wrong('TLS_FAILED', `the TLS handshake failed (${how})`))
  }
}

function unencrypted({ offersTls, place }: Examination): Finding {
  if (LOCAL.includes(place.host)) return fine('not asked for, and the server is on this machine')
  const offer =
    offersTls === true ? 'the server offers TLS, and it is not asked for' : 'neither asked for nor offered'
  return warning('TLS_OFF', offer)
}

/** Takes any certificate: what is wrong with it is looked at afterwards, all of it. */
async function handshake(examination: Examination, socket: Socket, signal: AbortSignal): Promise<TLSSocket> {
  const { host, tls } = examination.place
  const trusted = tls.wanted === 'default' ? { secureContext: (await rdsTls()).secureContext } : tls.options
  return new Promise((resolve, reject) => {
    const secure = connect({
      socket,
      host,
      ...trusted,
      ...(isIP(host) === 0 ? { servername: nameFor(examination) } : {}),
      ...(tls.isDirect ? { ALPNProtocols: ['postgresql'] } : {}),
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    })
    const onAbort = (): void => {
      secure.destroy()
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    secure.once('error', reject)
    secure.once('close', () => reject(Object.assign(new Error('closed'), { code: 'closed by the server' })))
    secure.once('secureConnect', () => {
      signal.removeEventListener('abort', onAbort)
      secure.on('error', () => {})
      resolve(secure)
    })
  })
}

/** PostgreSQL's driver looks for the host, whatever `servername` says; so does mysql2. */
function nameFor({ place }: Examination): string {
  return place.host
}

function judged(examination: Examination, secure: TLSSocket): Finding[] {
  const { place } = examination
  const { verifiesChain, verifiesName } = place.tls
  const certificate = secure.getPeerCertificate()
  const facts = factsOf(certificate, secure)
  const problem = secure.authorizationError as unknown as string | undefined
  const about = `issued by ${facts['issuer']}, until ${facts['validUntil']}`
  const found: Finding[] = []
  if (!verifiesChain)
    found.push(warning('TLS_UNVERIFIED', 'TLS is on, and no certificate is checked', { facts }))
  else if (problem !== undefined && problem !== null && !secure.authorized) {
    const isLate = OUT_OF_DATE.includes(problem)
    const now = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' }).format(
      examination.clock.epochMs(),
    )
    found.push(
      isLate
        ? wrong(
            'TLS_EXPIRED',
            `the certificate is out of date (${problem}): ${facts['validFrom']} to ${facts['validUntil']}; here it is ${now}`,
            { facts },
          )
        : wrong('TLS_UNTRUSTED', `the certificate is not trusted (${problem}): ${about}`, { facts }),
    )
  }
  const isMismatched = checkServerIdentity(nameFor(examination), certificate) !== undefined
  if (verifiesName && isMismatched) {
    found.push(
      wrong('TLS_WRONG_NAME', `the certificate is for ${facts['names']}, not for ${place.host}`, { facts }),
    )
  } else if (verifiesChain && !verifiesName) {
    const more = isMismatched ? `, and is for ${facts['names']}, not for ${place.host}` : ''
    found.push(
      warning('TLS_UNVERIFIED', `the certificate is trusted, but its name is not checked${more}`, { facts }),
    )
  }
  if (found.length === 0)
    found.push(fine(`${facts['version']}, certificate for ${place.host} ${about}`, facts))
  return found
}

function factsOf(certificate: PeerCertificate, secure: TLSSocket): Facts {
  const { issuer, subjectaltname, subject } = certificate
  const names = (subjectaltname ?? '').replaceAll(/(DNS|IP Address):/g, '')
  return {
    version: secure.getProtocol() ?? 'TLS',
    names: names === '' ? String(subject?.CN ?? 'nobody') : names,
    issuer: String(issuer?.CN ?? issuer?.O ?? 'an unknown authority'),
    validFrom: certificate.valid_from,
    validUntil: certificate.valid_to,
  }
}
