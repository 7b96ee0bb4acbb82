// Texts around panels, placed from a panel's upper left corner: Vega's own titles move with what is below them.
import type { Subject } from './subjects.ts'
import { FONT_SIZE, INK, type Layer, SMALL_FONT_SIZE } from './theme.ts'

const STEP = 150

/** In bold. */
export function titleLayer(text: string, x: number, y: number): Layer {
  return {
    data: { values: [{ text }] },
    mark: { type: 'text', x, y, align: 'left', fontSize: FONT_SIZE, fontWeight: 600 },
    encoding: { text: { field: 'text' } },
  }
}

/** Which colour is whose: squares with names beside them. */
export function keyLayers(subjects: readonly Subject[], left: number, y: number): readonly Layer[] {
  return subjects.flatMap(({ title, colour }, index): Layer[] => {
    const x = left + index * STEP
    return [
      {
        data: { values: [{}] },
        mark: { type: 'square', x: x + 5, y, size: 120, opacity: 1, color: colour },
        encoding: {},
      },
      {
        data: { values: [{ title }] },
        mark: { type: 'text', x: x + 17, y, align: 'left', fontSize: SMALL_FONT_SIZE, color: INK.text },
        encoding: { text: { field: 'title' } },
      },
    ]
  })
}
