// How the numbers came about, what they are good for, and what they are not.
import type { Machine } from '../machine.ts'
import type { Recording } from '../recording.ts'
import {
  BURST_CLIENTS,
  FUNCTION_TIMEOUT_MS,
  MAX_CONNECTIONS,
  PAUSE_AFTER_FAILURE_MS,
  phaseDurationMs,
  type PhaseName,
  SAMPLE_EVERY_MS,
  SECOND_CLIENTS,
  TAKEN_AWAY_COUNT,
  variantTitle,
} from '../scenario.ts'
import { failureReasons, peakSessions } from '../statistics.ts'
import { count } from '../wording.ts'
import { html, join, type Markup } from './markup.ts'

export function measuredSection(
  recordings: readonly Recording[],
  machine: Machine,
  problems: readonly string[],
): Markup {
  const paragraphs = howItWasMeasured(recordings, machine).map((text) => html`<li>${text}</li>`)
  return html`<section>
    <h2>How it was measured</h2>
    <ul>
      ${join(paragraphs)}
    </ul>
    ${failures(recordings)} ${join(problems.map((problem) => html`<p class="bad">Left out: ${problem}</p>`))}
  </section>`
}

function howItWasMeasured(recordings: readonly Recording[], machine: Machine): readonly string[] {
  const servers = [...new Set(recordings.map(({ serverName, slots }) => `${serverName} (${slots} slots)`))]
  const drivers = Object.entries(machine.drivers).map(([name, version]) => `${name} ${version}`)
  const overfull = recordings.some(({ slots, samples }) => peakSessions(samples) > slots)
  return [
    `Machine: ${machine.coreCount} × ${machine.processor}, ${Math.round(machine.memoryGib)} GiB, ` +
      `${machine.platform}, Node.js ${machine.node}. Functions, load and servers share it, so absolute times vary ` +
      'from machine to machine and from run to run; the differences between the two columns are what to look at.',
    `Servers: ${servers.join(', ')}, each with max_connections = ${MAX_CONNECTIONS}. A slot is a connection that the ` +
      `functions' login can open; the rest is reserved by the server. Drivers: ${drivers.join(', ')}, ` +
      'the same under both pools.',
    'Every environment is a process of its own with its own pool of one connection. As on Lambda it is frozen between ' +
      'requests (here by SIGSTOP), thawed for the next one, and taken away without a goodbye (stopped for ever, its ' +
      `sockets left open). The function timeout is ${FUNCTION_TIMEOUT_MS / 1_000} s.`,
    'Each request runs a statement of 20 ms and a trivial one. The handlers differ in the import and in one option: ' +
      "the governed pool's limit for waiting, set below the function timeout.",
    `Burst, ${seconds('burst')}: ${BURST_CLIENTS} clients, each with one request in flight, one after the other. The ` +
      'processes were started before; their connections were not. ' +
      `A client that got an error pauses ${PAUSE_AFTER_FAILURE_MS} ms, about as long as an answer takes, because a ` +
      'quick refusal would otherwise buy it more requests than an answer does. Shares of answered requests depend on ' +
      'that choice; who is never answered does not.',
    `Quiet spell, ${seconds('quiet')}: no request. Then ${TAKEN_AWAY_COUNT} environments vanish, those that answered ` +
      `last first. Second function, after another ${seconds('taken-away')}, for ${seconds('second-function')}: ` +
      `${SECOND_CLIENTS} clients, processes started beforehand.`,
    `Sessions are counted on the server over a control connection every ${SAMPLE_EVERY_MS} ms. Latency is what the ` +
      'caller sees, from the request to the response; percentiles are taken over answers only.' +
      (overfull
        ? ' A server may show a login for a moment before it refuses it: one session more than slots.'
        : ''),
  ]
}

function seconds(name: PhaseName): string {
  return `${phaseDurationMs(name) / 1_000} s`
}

function failures(recordings: readonly Recording[]): Markup {
  const items = recordings.flatMap(({ serverName, variant, invocations }) =>
    failureReasons(invocations)
      .slice(0, 5)
      .map(
        ({ reason, count: times }) =>
          html`<li>${serverName}, ${variantTitle(variant)}: ${count(times)} × <code>${reason}</code></li>`,
      ),
  )
  if (items.length === 0) return html``
  return html`<h3>What the failed requests said</h3>
    <ul>
      ${join(items)}
    </ul>`
}
