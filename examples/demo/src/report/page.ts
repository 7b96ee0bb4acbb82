// The report: one HTML file that needs nothing but itself.
import { readFileSync } from 'node:fs'

import type { Machine } from '../machine.ts'
import { outcomeOf } from '../outcome.ts'
import type { Recording } from '../recording.ts'
import { BURST_CLIENTS, SECOND_CLIENTS, TAKEN_AWAY_COUNT } from '../scenario.ts'
import { engineSection } from './engine-section.ts'
import { html, join, type Markup, raw } from './markup.ts'
import { measuredSection } from './measured-section.ts'
import { summarySection } from './summary-section.ts'

const STORY =
  `${BURST_CLIENTS} environments at once on a server with room for fewer; a quiet spell; ${TAKEN_AWAY_COUNT} ` +
  `environments taken away; then ${SECOND_CLIENTS} environments of a second function that need the slots. Once with ` +
  "the driver's own pool, once with a governed one."

export async function renderReport(
  recordings: readonly Recording[],
  machine: Machine,
  problems: readonly string[],
): Promise<string> {
  const style = readFileSync(new URL('report.css', import.meta.url), 'utf8')
  const sections: Markup[] = []
  for (const engine of new Set(recordings.map((recording) => recording.engine))) {
    sections.push(await engineSection(recordings.filter((recording) => recording.engine === engine)))
  }
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Leasehold: the same fleet on bare and on governed pools</title>
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        <h1>The same fleet on bare and on governed pools</h1>
        <p class="faint">Leasehold demo, ${machine.date}, ${machine.coreCount} × ${machine.processor}</p>
        <p>${STORY}</p>
        ${summarySection(recordings.map(outcomeOf))} ${join(sections)}
        ${measuredSection(recordings, machine, problems)}
      </body>
    </html> `.text
}
