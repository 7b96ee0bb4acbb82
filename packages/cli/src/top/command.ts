/** `leasehold top`: a server's slots by fleet, state and age, while it happens. */

import { codeOf, within } from '@leasehold/core'
import { Command, InvalidArgumentError, Option } from 'commander'

import type { Io } from '../io.ts'
import { addTargetArguments, targetArguments } from '../target/arguments.ts'
import { connector } from '../target/connector.ts'
import { isLocalSocket, placeOf } from '../target/place.ts'
import { readTarget } from '../target/read-target.ts'
import type { Connector } from '../target/session.ts'
import { protocolName, type Target } from '../target/target.ts'
import { listenForQuit } from './quit.ts'
import { coloured, isTerminal, jsonView, plainView, terminalView, type View } from './view.ts'
import { lookOnce, watch, type WatchParts } from './watch.ts'

const EXAMPLES = `
Examples:
  $ leasehold top postgres://app@db.example/shop
  $ leasehold top --options ./options.mjs --fleet orders
  $ leasehold top mysql://app@db.example/shop --once --json

On a terminal q and Ctrl-C quit. Elsewhere it prints a table at every interval.
It takes one slot, counts itself (*), and gives it back: its session is on a short lease.
`

const LIMIT_MS = 5_000

interface TopOptions {
  readonly json?: boolean
  readonly once?: boolean
  readonly fleet?: string
  readonly intervalMs: number
}

export function topCommand(io: Io): Command {
  const command = new Command('top').description("watch a server's slots by fleet, state and age")
  return addTargetArguments(command)
    .option('--fleet <name>', 'list the sessions of this fleet alone')
    .addOption(new Option('--interval-ms <ms>', 'how often to look').default(2_000).argParser(wholeMs))
    .option('--once', 'look once, and leave')
    .option('--json', 'print JSON, a line for each look')
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: TopOptions) => {
      const target = await readTarget(targetArguments(command, url, io.env), io)
      await runTop(target, options, io)
    })
}

async function runTop(target: Target, options: TopOptions, io: Io): Promise<void> {
  const { clock, stdout } = io
  const { fleet, intervalMs, json = false, once = false } = options
  const pool = ownPool(target, intervalMs)
  const quit = listenForQuit(io)
  const isLive = isTerminal(stdout) && !json && !once
  const view = viewOn(io, isLive, json)
  const parts: WatchParts = {
    pool,
    protocol: target.protocol,
    clock,
    view,
    title: titleOf(target, io),
    everyMs: intervalMs,
    limitMs: LIMIT_MS,
    fleet,
    quit: quit.signal,
  }
  try {
    await (once ? lookOnce(parts) : watch(parts))
  } catch (error) {
    const words = error instanceof Error ? error.message : 'no words were given'
    throw new Error(`cannot look at the server: ${words} (${codeOf(error)}); \`leasehold doctor\` says why`, {
      cause: error,
    })
  } finally {
    view.close()
    quit.dispose()
    await within(clock, 1_000, 'closing', () => pool.end()).catch(() => {})
  }
}

/** One session, of a fleet of its own: whatever happens to this program, the server ends it soon. */
function ownPool({ options, protocol }: Target, intervalMs: number): Connector {
  const leaseMs = Math.ceil((2 * intervalMs + 1_000) / 1_000) * 1_000
  return connector(protocol, options, {
    most: 1,
    name: 'top',
    fleet: 'leasehold-top',
    lease: 'server',
    minLeaseMs: leaseMs,
    maxLeaseMs: leaseMs,
    targetPressure: 1,
    reap: false,
    acquireTimeoutMs: LIMIT_MS,
    connectTimeoutMs: LIMIT_MS,
    resumeBudgetMs: 0,
    queryTimeoutMs: LIMIT_MS,
    onSession: undefined,
    traceCheckouts: false,
    logger: { warn: () => {}, error: () => {} },
  })
}

function viewOn({ env, stdout }: Io, isLive: boolean, json: boolean): View {
  if (json) return jsonView(stdout)
  const paint = env['NO_COLOR'] === undefined ? coloured : (_format: string, text: string): string => text
  return isLive && isTerminal(stdout) ? terminalView(stdout, paint) : plainView(stdout)
}

function titleOf({ options, protocol }: Target, { env }: Io): string {
  const place = placeOf(protocol, options, env)
  const { database, host, port, user } = place
  const where = isLocalSocket(place) ? host : `${host}:${port}`
  return `${protocolName(protocol)} at ${where}${database === undefined ? '' : `/${database}`}${user === undefined ? '' : ` as ${user}`}`
}

/** @throws InvalidArgumentError */
function wholeMs(text: string): number {
  const ms = Number(text)
  if (Number.isInteger(ms) && ms >= 250 && ms <= 60_000) return ms
  throw new InvalidArgumentError('It must be a whole number of milliseconds from 250 to 60000.')
}
