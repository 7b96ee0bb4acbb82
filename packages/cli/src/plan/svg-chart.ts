/** PURE: sessions against the limit, and requests under way, as an SVG picture. */

import type { Plan } from './plan.ts'

const WIDTH = 760
const LEFT = 60
const RIGHT = 20
const PANEL = { top: 56, height: 170 }
const SECOND = { top: 282, height: 90 }
const HEIGHT = 420
const FONT = 'system-ui, sans-serif'
const INK = { text: '#1f2933', grid: '#d9dee3', sessions: '#2f6f9f', limit: '#b3261e', underWay: '#c47f17' }

interface Panel {
  readonly top: number
  readonly height: number
}

interface Point {
  readonly atS: number
  readonly value: number
}

const rounded = (value: number): string => String(Math.round(value * 10) / 10)

function x(atS: number, seconds: number): number {
  return LEFT + ((WIDTH - LEFT - RIGHT) * atS) / seconds
}

function y(value: number, most: number, { top, height }: Panel): number {
  return top + height * (1 - value / most)
}

/** A closed surface under the points. */
function area(points: readonly Point[], most: number, panel: Panel, seconds: number, colour: string): string {
  const base = rounded(panel.top + panel.height)
  const along = points.map(
    ({ atS, value }) => `L${rounded(x(atS, seconds))} ${rounded(y(value, most, panel))}`,
  )
  const end = rounded(x(points.at(-1)?.atS ?? 0, seconds))
  return `<path d="M${LEFT} ${base}${along.join('')}L${end} ${base}Z" fill="${colour}" fill-opacity="0.75"/>`
}

function text(atX: number, atY: number, content: string, more = ''): string {
  return `<text x="${rounded(atX)}" y="${rounded(atY)}" fill="${INK.text}"${more}>${content}</text>`
}

function line(fromX: number, fromY: number, toX: number, toY: number, colour: string, more = ''): string {
  return `<line x1="${rounded(fromX)}" y1="${rounded(fromY)}" x2="${rounded(toX)}" y2="${rounded(toY)}" stroke="${colour}"${more}/>`
}

function axis(panel: Panel, most: number, title: string): string {
  const right = WIDTH - RIGHT
  const bottom = panel.top + panel.height
  return [
    text(LEFT, panel.top - 10, title),
    line(LEFT, bottom, right, bottom, INK.grid),
    line(LEFT, panel.top, right, panel.top, INK.grid),
    text(LEFT - 8, bottom + 4, '0', ' text-anchor="end"'),
    text(LEFT - 8, panel.top + 4, String(most), ' text-anchor="end"'),
  ].join('')
}

export function svgChart({ rise, slots }: Plan): string {
  const { samples, seconds, atS, concurrency } = rise
  const limit = slots.functionsCount
  const sessions = samples.map((sample) => ({ atS: sample.second, value: sample.sessions }))
  const underWay = samples.map((sample) => ({ atS: sample.second, value: sample.waiting }))
  const mostUnderWay = Math.max(1, ...underWay.map(({ value }) => value))
  const limitY = y(limit, limit, PANEL)
  const riseX = x(atS, seconds)
  const bottom = SECOND.top + SECOND.height
  const dashed = ' stroke-dasharray="5 3"'
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="${FONT}" font-size="13">`,
    `<title>Sessions of ${concurrency} environments on ${limit} slots</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(LEFT, 22, `${concurrency} environments on ${limit} slots, simulated`, ' font-weight="600"'),
    axis(PANEL, limit, 'sessions'),
    area(sessions, limit, PANEL, seconds, INK.sessions),
    line(LEFT, limitY, WIDTH - RIGHT, limitY, INK.limit, dashed),
    text(WIDTH - RIGHT, limitY - 8, 'slots', ' text-anchor="end"'),
    axis(
      SECOND,
      mostUnderWay,
      'requests under way: those without a session wait for a slot, or are at other work',
    ),
    area(underWay, mostUnderWay, SECOND, seconds, INK.underWay),
    line(riseX, PANEL.top, riseX, bottom, INK.text, ' stroke-dasharray="2 3"'),
    text(LEFT, bottom + 20, '0 s'),
    text(riseX, bottom + 20, `${atS.toFixed(1)} s: more requests than the concurrency lets through`),
    '</svg>\n',
  ].join('\n')
}
