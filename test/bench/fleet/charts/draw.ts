// From a chart's specification to the text of an SVG file, without a browser: the same bytes for the same data.
import { None, parse, resetSVGDefIds, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'

import { CARD, CHART_WIDTH, FONT } from './theme.ts'

/** Longer fractions than anyone sees, which mathematics of another release may round otherwise. */
const FRACTION = /-?\d+\.\d{2,}/g

export async function drawSvg(spec: TopLevelSpec, title: string): Promise<string> {
  resetSVGDefIds()
  const view = new View(parse(compile(spec).spec), { renderer: 'none', logLevel: None })
  try {
    return carded(await view.toSVG(), title)
  } finally {
    view.finalize()
  }
}

/**
 * On a ground of its own, so that it reads on a dark page as it does on a light one; all equally wide. Vega can
 * only guess how wide text is: what it adds for that on the right is cut.
 */
function carded(svg: string, title: string): string {
  const height = Number(/<svg [^>]*height="([\d.]+)"/.exec(svg)?.[1])
  const root = `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${CHART_WIDTH}" height="${height}" viewBox="0 0 ${CHART_WIDTH} ${height}" font-family="${escaped(FONT)}">`
  const ground = `<rect x="0.5" y="0.5" width="${CHART_WIDTH - 1}" height="${height - 1}" rx="6" fill="${CARD.ground}" stroke="${CARD.edge}"/>`
  return `${svg
    .replace(/<svg [^>]*>/, `${root}<title>${escaped(title)}</title>${ground}`)
    .replaceAll(/ font-family="[^"]*"/g, (attribute, at: number) => (at < root.length ? attribute : ''))
    .replaceAll(FRACTION, (number) => String(Math.round(Number(number) * 10) / 10))}\n`
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
