// A first login by token in a fresh process: the SDK's signer beside the bare driver, set up by hand, and ours.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

import { createAuthority, iamAvailability, type StartableIamServer } from '@leasehold/test-databases'

import { runFresh } from './fresh-process.ts'
import { median, short } from './statistics.ts'

const ROUNDS = 21

const SETUPS = ['by hand', 'governed'] as const
type Setup = (typeof SETUPS)[number]

/** In the order in which the scripts print them. */
const FIGURES = [
  'load, ms',
  'first token, ms',
  'first request, ms',
  'until the first row, ms',
  'token of a second connection, µs',
  'token of a later one, warm, µs',
] as const

const IAM = {
  user: 'iam_bench',
  region: 'eu-west-1',
  // Made up. The session token is short, because PAM cuts long ones.
  credentials: { accessKeyId: 'AKIDBENCH', secretAccessKey: 'of no use to anybody', sessionToken: 'short' },
}

/** The lines in which the setups of one driver differ. */
interface Lines {
  readonly load: string
  /** Makes `pool`, and `again`, which asks for the token of one more connection. */
  readonly open: string
  readonly query: string
}

const BY_HAND = `const made = new signing.Signer({
  hostname: login.host, port: login.port, username: login.user, region, credentials
})
const again = () => made.getAuthToken()`

const GOVERNED = `const source = aws.iamToken({ hostname: login.host, region, credentials })
let asked
const again = () => source.get(asked)
const observed = { isClearText: true, get: (request) => ((asked = request), timed(again)) }`

const LINES: Record<'postgresql' | 'mysql', Record<Setup, Lines>> = {
  postgresql: {
    'by hand': {
      load: "const { default: driver } = await import('pg'); const signing = await import(signer)",
      open: `${BY_HAND}
const pool = new driver.Pool({ ...login, password: () => timed(again), max: 1 })`,
      query: "pool.query('select 1')",
    },
    governed: {
      load: "const ours = await import('@leasehold/pg-adapter'); const aws = await import('@leasehold/core/aws')",
      open: `${GOVERNED}
const pool = ours.createPool({ ...login, credentials: observed, max: 1 })`,
      query: "pool.query('select 1')",
    },
  },
  mysql: {
    'by hand': {
      load: "const { default: driver } = await import('mysql2'); const signing = await import(signer)",
      open: `${BY_HAND}
const clear = () => async () => Buffer.from(\`\${await timed(again)}\\0\`)
const pool = driver.createPool({ ...login, authPlugins: { mysql_clear_password: clear }, connectionLimit: 1 })`,
      query: "pool.promise().query('select 1')",
    },
    governed: {
      load: "const ours = await import('@leasehold/mysql-adapter'); const aws = await import('@leasehold/core/aws')",
      open: `${GOVERNED}
const pool = ours.createPool({ ...login, credentials: observed, connectionLimit: 1 })`,
      query: "pool.promise().query('select 1')",
    },
  },
}

function script({ load, open, query }: Lines): string {
  return `const { signer, login, region, credentials } = JSON.parse(process.env.BENCH_INPUT)
let tokenMs = 0
const timed = async (work) => {
  const start = performance.now()
  const done = await work()
  tokenMs = performance.now() - start
  return done
}
const start = performance.now()
${load}
const loaded = performance.now()
${open}
await ${query}
const end = performance.now()
const firstTokenMs = tokenMs
await timed(again)
const secondTokenMs = tokenMs
const many = async (count) => {
  for (let left = count; left > 0; left -= 1) await again()
}
await many(1_000)
await timed(() => many(1_000))
const figures = [loaded - start, firstTokenMs, end - loaded, end - start, secondTokenMs * 1_000, tokenMs]
console.log(JSON.stringify(figures))
process.exit(0)`
}

export interface TokenFigures {
  readonly driver: string
  /** The medians, in the order of the table's rows. Undefined where no server can verify tokens here. */
  readonly medians: Record<Setup, readonly number[]> | undefined
  /** What to do where there are none. */
  readonly remedy: string
}

export async function measureToken(): Promise<readonly TokenFigures[]> {
  const figures: TokenFigures[] = []
  for (const server of iamAvailability()) {
    figures.push({
      driver: server.engine === 'postgresql' ? 'pg' : 'mysql2',
      medians: server.available ? await measureOn(server) : undefined,
      remedy: server.remedy,
    })
  }
  return figures
}

async function measureOn({ engine, start }: StartableIamServer): Promise<Record<Setup, readonly number[]>> {
  const { user, region, credentials } = IAM
  const tls = await (await createAuthority()).issue()
  const server = await start({
    tls,
    iam: { users: [user], host: 'localhost', region, credentials: [credentials] },
  })
  const { port, database } = server
  const lines = LINES[engine === 'postgresql' ? 'postgresql' : 'mysql']
  const ssl = engine === 'postgresql' ? { ca: tls.ca } : { ca: tls.ca, verifyIdentity: true }
  const input = {
    signer: signerUrl(),
    login: { host: 'localhost', port, user, database, ssl },
    region,
    credentials,
  }
  const rounds: Record<Setup, (readonly number[])[]> = { 'by hand': [], governed: [] }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const setup of SETUPS) rounds[setup].push(await runFresh(script(lines[setup]), input))
  }
  await server.dispose()
  const medians = (setup: Setup): readonly number[] =>
    FIGURES.map((_, index) => median(rounds[setup].map((figures) => figures[index] ?? Number.NaN)))
  return { 'by hand': medians('by hand'), governed: medians('governed') }
}

/** The very file that the core loads, which has the SDK among its own dependencies. */
function signerUrl(): string {
  const { resolve } = createRequire(import.meta.resolve('@leasehold/core'))
  return pathToFileURL(resolve('@aws-sdk/rds-signer')).href
}

export function tokenTable(figures: readonly TokenFigures[]): string {
  const measured = figures.flatMap(({ driver, medians }) =>
    medians === undefined ? [] : [{ driver, medians }],
  )
  const missing = figures.filter(({ medians }) => medians === undefined)
  const columns = measured.flatMap(({ driver }) => SETUPS.map((setup) => `${driver}, ${setup}`))
  const rows = FIGURES.map((figure, index) =>
    [
      figure,
      ...measured.flatMap(({ medians }) => SETUPS.map((setup) => short(medians[setup][index] ?? Number.NaN))),
    ].join(' | '),
  )
  return [
    ...missing.map(
      ({ driver, remedy }) => `${driver}: not measured, no server can verify tokens here: ${remedy}`,
    ),
    ...(measured.length === 0
      ? []
      : [['', ...columns].join(' | '), ['', ...columns].map(() => '---').join(' | '), ...rows].map(
          (row) => `| ${row} |`,
        )),
  ].join('\n')
}
