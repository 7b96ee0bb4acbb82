// What the page says of the real fleets: a block for each scenario, one of machine and data, one of targets.
import { fleetOverTime } from '../charts/fleet-over-time.ts'
import { fleetSummary } from '../charts/fleet-summary.ts'
import { type Group, groupsOf } from '../charts/groups.ts'
import { grouped } from '../charts/wording.ts'
import type { EngineName } from '../result.ts'
import { verdictsOf } from '../targets.ts'
import { tablesOf } from './fleet-tables.ts'
import type { Chart, Made } from './made.ts'
import { table } from './markdown.ts'
import { newestRuns, type StoredFleet } from './stored.ts'

const ENGINE_TITLES: Readonly<Record<EngineName, string>> = {
  postgresql: 'PostgreSQL',
  mariadb: 'MariaDB',
  mysql: 'MySQL',
}

export function fleetBlocks(fleets: readonly StoredFleet[]): Made {
  const texts = new Map<string, string>()
  const charts: Chart[] = []
  if (fleets.length === 0) return { texts, charts }
  const runs = newestRuns(fleets)
  texts.set('fleet data', fleets.map(aboutOf).join('\n\n'))
  texts.set('fleet targets', targets(runs))
  for (const group of groupsOf(runs)) {
    const drawn = chartsOf(group)
    charts.push(...drawn)
    const images = drawn.map(({ name, title }) => `![${title}](benchmarks/${name})`)
    const text = [`### ${ENGINE_TITLES[group.engine]}`, ...images, tablesOf(group)].join('\n\n')
    const block = `fleet ${group.scenario}`
    const before = texts.get(block)
    texts.set(block, before === undefined ? text : `${before}\n\n${text}`)
  }
  return { texts, charts }
}

function chartsOf(group: Group): readonly Chart[] {
  // One subject by itself is a reference for another scenario.
  if (group.entries.length < 2) return []
  const name = `${group.scenario}-${group.engine}`
  const of = `${group.scenario} on ${ENGINE_TITLES[group.engine]}`
  return [
    { name: `${name}.svg`, title: `Answered, rate and latency: ${of}`, spec: fleetSummary(group) },
    {
      name: `${name}-over-time.svg`,
      title: `Sessions, answers and latency over time: ${of}`,
      spec: fleetOverTime(group),
    },
  ]
}

function aboutOf({ name, file }: StoredFleet): string {
  const { machine, versions, startedAt, command } = file
  const memoryGib = machine.memoryBytes / 2 ** 30
  // `PostgreSQL 18` is 18.4; the kernel's build says nothing to anybody else.
  const listed = Object.entries(versions).map(
    ([what, version]) => `${what.replace(/ [\d.]+$/, '')} ${version}`,
  )
  const [kernel = ''] = /^\d+\.\d+/.exec(machine.kernel) ?? []
  return [
    `Raw data: [${name}](benchmarks/data/${name}), ${grouped(file.runs.length)} runs, begun ${startedAt.slice(0, 16).replace('T', ' ')} UTC with`,
    `\`\`\`sh\n${command}\n\`\`\``,
    `${machine.cores} cores (${machine.cpuModel}), ${memoryGib.toFixed(0)} GiB, Linux ${kernel}, Node ${machine.node}; ${listed.join(', ')}.`,
  ].join('\n\n')
}

function targets(runs: Parameters<typeof verdictsOf>[0]): string {
  return table(verdictsOf(runs), [
    ['scenario', ({ scenario }) => scenario],
    ['engine', ({ engine }) => ENGINE_TITLES[engine]],
    ['Leasehold is to have', ({ target }) => target],
    ['found', ({ found }) => found],
    ['met', ({ isMet }) => (isMet ? 'yes' : '**no**')],
  ])
}
