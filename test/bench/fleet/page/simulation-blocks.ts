// What the page says of simulated fleets: the grid of sizes and limits, and the ways requests arrive.
import { gridOf, type Simulated, type SimulatedRun } from '../charts/simulated.ts'
import { type OverTime, simulationOverTime } from '../charts/simulation-over-time.ts'
import { simulationSummary } from '../charts/simulation-summary.ts'
import { subjectOf } from '../charts/subjects.ts'
import { grouped, shareText } from '../charts/wording.ts'
import { boundBlock } from './bound-block.ts'
import type { Chart, Made } from './made.ts'
import { type Column, table } from './markdown.ts'
import { SIMULATION_NAME } from './stored.ts'

/** Scenarios whose arrivals are of a kind of their own. */
const ARRIVALS: ReadonlyMap<string, string> = new Map([
  ['sparse', 'Poisson'],
  ['step', 'a burst'],
  ['diurnal', 'a day'],
  ['storm', 'webhook storms'],
])

export function simulationBlocks(simulated: Simulated | undefined): Made {
  const texts = new Map<string, string>()
  const charts: Chart[] = []
  if (simulated === undefined) return { texts, charts }
  const { provenance } = simulated
  texts.set(
    'simulation data',
    `Raw data: [${SIMULATION_NAME}](benchmarks/data/${SIMULATION_NAME}).\n\n\`\`\`text\n${provenance}\n\`\`\``,
  )
  const image = (chart: Chart): string => {
    charts.push(chart)
    return `![${chart.title}](benchmarks/${chart.name})`
  }
  for (const engine of new Set(simulated.runs.map((run) => run.engine))) {
    const runs = simulated.runs.filter((run) => run.engine === engine)
    const bound = boundBlock(runs)
    if (bound !== undefined) append(texts, `simulation bound ${engine}`, [bound])
    const grid = gridOf(runs)
    for (const size of new Set(grid.map(({ environmentCount }) => environmentCount))) {
      const cells = grid.filter(({ environmentCount }) => environmentCount === size)
      const name = `simulated-${size}-${engine}`
      const of = `${grouped(size)} simulated environments on ${engine}`
      const summary = {
        name: `${name}.svg`,
        title: `Answered, latency, connects: ${of}`,
        spec: simulationSummary(cells),
      }
      const pressure: Chart = {
        name: `${name}-pressure.svg`,
        title: `Sessions in parts of the limit over time: ${of}`,
        spec: simulationOverTime(
          cells.map((cell): OverTime => ({
            title: `max_connections ${grouped(cell.maxConnections)}`,
            runs: cell.runs,
            figure: (second) => second.pressure,
            format: '.0%',
            limit: 1,
          })),
        ),
      }
      append(texts, `simulation ${size}`, [
        image(summary),
        image(pressure),
        table(
          cells.flatMap(({ maxConnections, runs: inCell }) => inCell.map((run) => ({ maxConnections, run }))),
          [
            ['max_connections', ({ maxConnections }) => grouped(maxConnections)],
            ...columns(({ run }: { readonly run: SimulatedRun }) => run),
          ],
        ),
      ])
    }
    const arriving = runs.filter(({ scenario }) => ARRIVALS.has(scenario))
    if (arriving.length > 0) {
      append(texts, 'simulation arrivals', [
        image({
          name: `simulated-arrivals-${engine}.svg`,
          title: `Answers per second and sessions over time, by the way requests arrive, on ${engine}`,
          spec: simulationOverTime(arrivalPanels(arriving)),
        }),
        table(arriving, [['scenario', ({ scenario }) => scenario], ...columns((run: SimulatedRun) => run)]),
      ])
    }
  }
  return { texts, charts }
}

function append(texts: Map<string, string>, block: string, parts: readonly string[]): void {
  const before = texts.get(block)
  texts.set(block, [...(before === undefined ? [] : [before]), ...parts].join('\n\n'))
}

/** Answers on the left, the sessions that took on the right. */
function arrivalPanels(all: readonly SimulatedRun[]): readonly OverTime[] {
  return [...ARRIVALS].flatMap(([scenario, kind]): OverTime[] => {
    const runs = all.filter((run) => run.scenario === scenario)
    if (runs.length === 0) return []
    return [
      {
        title: `${scenario} (${kind}): answers per second`,
        runs,
        figure: ({ answered }) => answered,
        format: ',d',
      },
      {
        title: `${scenario}: sessions in parts of the limit`,
        runs,
        figure: ({ pressure }) => pressure,
        format: '.0%',
        limit: 1,
      },
    ]
  })
}

function columns<T>(runOf: (row: T) => SimulatedRun): readonly Column<T>[] {
  const all: readonly Column<SimulatedRun>[] = [
    ['engine', ({ engine }) => engine],
    ['policy', ({ policy }) => subjectOf(policy).title],
    ['answered', ({ answeredShare }) => shareText(answeredShare)],
    ['throttled', ({ throttled }) => (throttled === 0 ? '' : grouped(throttled))],
    ['answers/s', ({ ratePerS }) => grouped(ratePerS)],
    ['p50 ms', ({ p50Ms }) => grouped(p50Ms)],
    ['p99 ms', ({ p99Ms }) => grouped(p99Ms)],
    ['slowest ms', ({ maxMs }) => grouped(maxMs)],
    ['mean pressure', ({ meanPressure }) => meanPressure.toFixed(2)],
    ['connects/s', ({ connectsPerAnswer, ratePerS }) => grouped(connectsPerAnswer * ratePerS)],
    ['connects/answer', ({ connectsPerAnswer }) => connectsPerAnswer.toFixed(3)],
    ['refused/s', ({ refusalsPerS }) => grouped(refusalsPerS)],
    ['server CPU', ({ cpuShare }) => cpuShare.toFixed(2)],
  ]
  return all.map(([title, text]): Column<T> => [title, (row) => text(runOf(row))])
}
