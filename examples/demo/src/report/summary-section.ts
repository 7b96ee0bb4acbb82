// The headline table: the same columns as the table in the terminal.
import type { Outcome } from '../outcome.ts'
import { poolName, variantTitle } from '../scenario.ts'
import { SUMMARY_COLUMNS } from '../summary-table.ts'
import { html, join, type Markup } from './markup.ts'

export function summarySection(outcomes: readonly Outcome[]): Markup {
  const groups = [...new Set(SUMMARY_COLUMNS.map(({ group }) => group))]
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th class="name" colspan="2"></th>
          ${join(
            groups.map((group) => {
              const columns = SUMMARY_COLUMNS.filter((column) => column.group === group)
              return html`<th scope="colgroup" colspan="${columns.length}">${group}</th>`
            }),
            '',
          )}
        </tr>
        <tr>
          <th class="name">server</th>
          <th class="name">pool</th>
          ${join(
            SUMMARY_COLUMNS.map(({ title }) => html`<th>${title}</th>`),
            '',
          )}
        </tr>
      </thead>
      <tbody>
        ${join(outcomes.map(row))}
      </tbody>
    </table>
  </div>`
}

function row(outcome: Outcome): Markup {
  const { engine, variant, serverName } = outcome
  const cells = SUMMARY_COLUMNS.map(({ value, isBad }) =>
    isBad?.(outcome) === true
      ? html`<td class="bad">${value(outcome)}</td>`
      : html`<td>${value(outcome)}</td>`,
  )
  const pool = html`${variantTitle(variant)}<br /><code class="faint">${poolName(engine, variant)}</code>`
  return html`<tr>
    <td class="name">${serverName}</td>
    <td class="name">${pool}</td>
    ${join(cells, '')}
  </tr>`
}
