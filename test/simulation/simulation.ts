// One run: a scenario under a policy, from a seed to figures.
import type { Governor } from '@leasehold/core'

import { type Costs, type EngineName, ownServer, sharedMachine } from './costs.ts'
import type { ClientFactory, Environment } from './environment.ts'
import { type Figures, figuresOf } from './figures.ts'
import { Fleet, type FleetPlan } from './fleet.ts'
import { Measurement } from './measurement.ts'
import { Oracle, Proxy } from './policies/central.ts'
import { leasehold, type Overrides } from './policies/leasehold.ts'
import { BarePool, ConnectPerInvocation } from './policies/plain.ts'
import { Server } from './server.ts'
import { World } from './world.ts'

export const POLICIES = ['leasehold', 'bare', 'per-invocation', 'proxy', 'oracle'] as const
export type PolicyName = (typeof POLICIES)[number]

export interface Scenario {
  readonly name: string
  readonly about: string
  /** The server's limit; what is reserved comes off. */
  readonly maxConnections: number
  /** Slots of these that the fleets cannot have. @defaultValue as the engines come */
  readonly reservedCount?: number
  readonly cores: number
  /** Environments share the server's cores, as in the tests with real environments. */
  readonly isShared: boolean
  readonly seconds: number
  /** How often a sample is taken. @defaultValue 1 000 */
  readonly sampleMs?: number
  readonly fleets: readonly FleetPlan[]
  /** The oracle's quantum; 0 takes slots from whoever is idle. */
  readonly quantumMs: number
}

export interface RunOptions {
  readonly policy: PolicyName
  readonly engine: EngineName
  readonly seed: number
  readonly overrides?: Overrides | undefined
  /** Instead of the measured ones. */
  readonly costs?: Costs | undefined
  /** Cores' worth of time that other processes of the machine ask for. */
  readonly othersCores?: number | undefined
}

/** Reserved slots as the engines come: PostgreSQL keeps three for superusers, MySQL one, beside the limit. */
export function reservedByDefault(engine: EngineName): number {
  return engine === 'postgresql' ? 3 : 0
}

/** Nobody waits longer for an answer than this after the last request. */
const DRAIN_MS = 60_000

export async function simulate(scenario: Scenario, options: RunOptions): Promise<Figures> {
  const startedMs = performance.now()
  const { engine, seed } = options
  const world = new World(seed)
  const costs = options.costs ?? (scenario.isShared ? sharedMachine(engine) : ownServer(engine))
  const { maxConnections, reservedCount = reservedByDefault(engine) } = scenario
  const slotCount = maxConnections - reservedCount
  const server = new Server(world, { engine, slotCount, cores: scenario.cores, costs })
  const endMs = scenario.seconds * 1_000
  server.cores.share(options.othersCores ?? 0, world.loadRandom, endMs + DRAIN_MS)
  const measurement = new Measurement(world, server, endMs)
  const governors: Governor[] = []
  const makeClient = clientsOf(scenario, options, world, server, governors)
  const fleets = scenario.fleets.map((plan) => new Fleet(world, server, plan, makeClient, measurement, endMs))
  for (const fleet of fleets) fleet.start()
  measurement.start(scenario.sampleMs ?? 1_000)
  await world.run(endMs, () => false)
  await world.run(endMs + DRAIN_MS, () => measurement.inFlightCount === 0)
  return figuresOf({
    scenario,
    options,
    measurement,
    server,
    governors,
    environments: fleets.flatMap((fleet) => fleet.environments),
    eventCount: world.eventCount,
    tookMs: performance.now() - startedMs,
  })
}

function clientsOf(
  scenario: Scenario,
  { policy, engine, overrides }: RunOptions,
  world: World,
  server: Server,
  governors: Governor[],
): ClientFactory {
  switch (policy) {
    case 'leasehold':
      return leasehold(engine, overrides ?? {}, governors)
    case 'bare':
      return (environment) => new BarePool(environment)
    case 'per-invocation':
      return (environment) => new ConnectPerInvocation(environment)
    case 'proxy': {
      const proxy = new Proxy(server)
      return () => proxy.client()
    }
    case 'oracle': {
      const oracle = new Oracle(world, server, scenario.quantumMs)
      return (environment: Environment) => oracle.client(environment)
    }
  }
}
