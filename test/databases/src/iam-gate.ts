// What lets logins by token into a server: a PAM service that runs the verifier, and the files it reads.
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { LOOPBACK } from './free-port.ts'
import type { IamRules } from './iam-token.ts'
import type { Iam, IamOptions, IamVerdict } from './iam.ts'
import { pamServiceFile, writePamService } from './pam.ts'
import { reachableCopy } from './unprivileged.ts'
import type { Account } from './unprivileged.ts'

export interface IamGate {
  readonly face: Iam
  /** What the server's configuration has to name. */
  readonly service: string
  /** Lies outside the server's folder: to be removed with it. */
  readonly serviceFile: string
  /** Writes the service and everything that it reads. */
  install(): Promise<void>
}

export interface IamGateOptions {
  readonly iam: IamOptions
  /** The server's own folder, port and user. */
  readonly directory: string
  readonly port: number
  readonly account?: Account | undefined
}

const DEFAULT_USERS = ['iam_user']
const DEFAULT_MAX_AGE_MS = 900_000

/** Writes nothing yet. */
export function iamGate({ iam, directory, port, account }: IamGateOptions): IamGate {
  const folder = join(directory, 'iam')
  const service = `leasehold-${randomBytes(8).toString('hex')}`
  let rules: IamRules = {
    service: iam.service ?? 'rds-db',
    host: iam.host ?? LOOPBACK,
    port: iam.port ?? port,
    region: iam.region,
    maxAgeMs: iam.maxAgeMs ?? DEFAULT_MAX_AGE_MS,
    credentials: iam.credentials,
  }
  const change = (changes: Partial<IamRules>): void => {
    rules = { ...rules, ...changes }
    writeRules(folder, rules, account)
  }
  return {
    service,
    serviceFile: pamServiceFile(service),
    install: async () => {
      mkdirSync(folder, { mode: 0o700 })
      if (account) chownSync(folder, account.uid, account.gid)
      change({})
      const verifier = copyVerifier(folder)
      const node = await reachableCopy(process.execPath, join(directory, 'node'), account)
      await writePamService(service, [...withCache(folder), node, verifier, folder])
    },
    face: {
      users: iam.users ?? DEFAULT_USERS,
      get host() {
        return rules.host
      },
      get port() {
        return rules.port
      },
      region: rules.region,
      setAddress: (host, ofPort) => change({ host, port: ofPort }),
      setMaxAgeMs: (maxAgeMs) => change({ maxAgeMs }),
      setCredentials: (credentials) => change({ credentials }),
      verdicts: () => readVerdicts(folder),
    },
  }
}

/** In one step: a login may be reading them. They hold secrets, so nobody but the server may. */
function writeRules(folder: string, rules: IamRules, account: Account | undefined): void {
  const next = join(folder, 'rules.next')
  writeFileSync(next, JSON.stringify(rules), { mode: 0o600 })
  if (account) chownSync(next, account.uid, account.gid)
  renameSync(next, join(folder, 'rules.json'))
}

/** The server may not be allowed to read our sources. */
function copyVerifier(folder: string): string {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }', { mode: 0o644 })
  copyFileSync(fileURLToPath(new URL('./iam-token.ts', import.meta.url)), join(folder, 'iam-token.ts'))
  const verifier = join(folder, 'iam-verifier.ts')
  copyFileSync(fileURLToPath(new URL('./iam-verifier.ts', import.meta.url)), verifier)
  return verifier
}

/** Node keeps the compiled verifier, types stripped: the first login takes 80 ms longer than the others. */
function withCache(folder: string): readonly string[] {
  return ['/usr/bin/env', `NODE_COMPILE_CACHE=${join(folder, 'cache')}`]
}

/** The last line may be half written. */
function readVerdicts(folder: string): readonly IamVerdict[] {
  const file = join(folder, 'verdicts')
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
  return lines.map((line) => JSON.parse(line) as IamVerdict)
}
