// What all charts have in common: type, ground and axes. Made to be read at 800 pixels and above.
import type { TopLevelSpec } from 'vega-lite'

export type Layer = Extract<TopLevelSpec, { layer: unknown }>['layer'][number]
export type Panel = Extract<TopLevelSpec, { hconcat: unknown }>['hconcat'][number]

/** To which layers can be added. */
export type Layered = Panel & { readonly layer: readonly Layer[] }

/** Of every file, so that charts under one another line up. */
export const CHART_WIDTH = 860

export const CARD = { ground: '#ffffff', edge: '#d1d9e0' } as const
export const INK = { text: '#1f2328', faint: '#59636e', grid: '#e6eaef', limit: '#1f2328' } as const
export const FONT_SIZE = 13
export const SMALL_FONT_SIZE = 12

/** An image in a page can load none. */
export const FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"

export const CONFIG: NonNullable<TopLevelSpec['config']> = {
  aria: false,
  background: 'transparent',
  font: FONT,
  view: { stroke: null },
  concat: { spacing: 18 },
  axis: {
    domain: false,
    ticks: false,
    gridColor: INK.grid,
    labelColor: INK.faint,
    labelFontSize: SMALL_FONT_SIZE,
    labelPadding: 6,
    titleColor: INK.faint,
    titleFontSize: SMALL_FONT_SIZE,
    titleFontWeight: 'normal',
  },
  title: { color: INK.text, fontSize: FONT_SIZE, fontWeight: 600, anchor: 'start', offset: 8 },
  text: { color: INK.text, fontSize: SMALL_FONT_SIZE },
}

/** Of a logarithmic axis of milliseconds. */
export const LATENCY_AXIS: { readonly values: number[]; readonly labelExpr: string } = {
  values: [1, 10, 100, 1_000, 10_000, 100_000],
  labelExpr: "datum.value < 1000 ? datum.value + ' ms' : datum.value / 1000 + ' s'",
}

export interface LinearScale {
  readonly domain: number[]
  readonly nice: false
}

export function linear(most: number): LinearScale {
  return { domain: [0, most], nice: false }
}
