// One engine: what changed, in three pairs of numbers, then the charts side by side.
import type { TopLevelSpec } from 'vega-lite'

import { outcomeOf } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import type { Recording } from '../recording.ts'
import {
  BURST_CLIENTS,
  phaseDurationMs,
  poolName,
  SECOND_CLIENTS,
  TAKEN_AWAY_COUNT,
  variantTitle,
} from '../scenario.ts'
import { count, share } from '../wording.ts'
import { drawSvg } from './draw.ts'
import { html, join, type Markup, raw } from './markup.ts'
import { latencyPanel, requestsPanel, sessionsPanel } from './panels.ts'
import { commonScales, type Scales } from './scales.ts'

interface ChartRow {
  readonly title: string
  readonly legend: readonly (readonly [name: string, colour: string])[]
  readonly spec: (recording: Recording, scales: Scales) => TopLevelSpec
}

const CHART_ROWS: readonly ChartRow[] = [
  { title: 'Sessions on the server', legend: [], spec: sessionsPanel },
  {
    title: 'Requests per half second',
    legend: [
      ['answered', 'var(--answered)'],
      ['failed', 'var(--failed)'],
    ],
    spec: requestsPanel,
  },
  {
    title: 'Latency of the answers',
    legend: [
      ['median', 'var(--p50)'],
      ['99th percentile', 'var(--p99)'],
      ['slowest', 'var(--slowest)'],
    ],
    spec: latencyPanel,
  },
]

/** `pair`: the recordings of one engine, as they are to stand side by side. */
export async function engineSection(pair: readonly Recording[]): Promise<Markup> {
  const scales = commonScales(pair)
  const rows: Markup[] = []
  for (const { title, legend, spec } of CHART_ROWS) {
    const swatches = legend.map(([name, colour]) => html`<i style="background:${colour}"></i>${name}`)
    rows.push(html`<h3 class="title">${title}<span class="legend">${join(swatches, '')}</span></h3>`)
    for (const recording of pair) {
      const label = `${title}, ${recording.serverName}, ${variantTitle(recording.variant)}`
      const svg = raw(await drawSvg(spec(recording, scales)))
      rows.push(html`<figure role="img" aria-label="${label}">${svg}</figure>`)
    }
  }
  const heads = pair.map(
    ({ variant, engine }) =>
      html`<h3>${variantTitle(variant)} <code class="faint">${poolName(engine, variant)}</code></h3>`,
  )
  return html`<section>
    <h2>${pair[0]?.serverName ?? ''}</h2>
    ${contrasts(pair.map(outcomeOf))}
    <div class="pair">${join(heads)} ${join(rows)}</div>
  </section>`
}

function contrasts(outcomes: readonly Outcome[]): Markup {
  const quietMs = phaseDurationMs('quiet')
  const answering = outcomes.map(({ burst }) => count(burst.answeringEnvironments)).join(' → ')
  const texts: readonly (readonly [title: string, value: (outcome: Outcome) => string])[] = [
    [
      `of the burst answered (environments that ever answered: ${answering} of ${BURST_CLIENTS})`,
      ({ burst }) => share(burst.answeredShare),
    ],
    [
      `sessions held after ${quietMs / 1_000} s without a request, every environment frozen`,
      ({ sessionsAfterQuiet }) => count(sessionsAfterQuiet),
    ],
    [
      `of the second function answered: ${SECOND_CLIENTS} environments, after ${TAKEN_AWAY_COUNT} others were taken away`,
      ({ secondFunction }) => share(secondFunction.answeredShare),
    ],
  ]
  const cards = texts.map(([title, value]) => {
    const numbers = outcomes.map((outcome) => html`<b>${value(outcome)}</b>`)
    const arrow = html`${join(numbers, ' <span class="faint">→</span> ')}`
    return html`<div class="contrast">
      <p class="numbers">${arrow}</p>
      <p class="faint">${title}</p>
    </div>`
  })
  return html`<div class="contrasts">${join(cards)}</div>`
}
