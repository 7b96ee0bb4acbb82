// From a chart's specification to SVG text, without a browser.
import { None, parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'

/** Inside HTML the namespaces go without saying. */
const NAMESPACES = / xmlns(:xlink)?="[^"]*"/g

export async function drawSvg(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: 'none', logLevel: None })
  try {
    return (await view.toSVG()).replaceAll(NAMESPACES, '')
  } finally {
    view.finalize()
  }
}
