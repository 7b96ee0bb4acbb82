// Shows a run while it happens: one block redrawn in place on a terminal, a line now and then elsewhere.
import { styleText } from 'node:util'

import { createLogUpdate } from 'log-update'

import { frame, type Paint, plainLine, type Progress } from './frame.ts'

const REDRAW_EVERY_MS = 200
const LINE_EVERY_MS = 3_000

export interface LiveView {
  /** Shows `progress()` again and again until `stop()`. */
  start(progress: () => Progress): void
  /** Shows it a last time; further output goes below. */
  stop(): void
}

/** `styleText` itself leaves colours out where the stream or NO_COLOR says so. */
export const colours: Paint = {
  strong: (text) => styleText('bold', text),
  faint: (text) => styleText('dim', text),
  good: (text) => styleText('green', text),
  bad: (text) => styleText('red', text),
}

export function createLiveView(output: NodeJS.WriteStream): LiveView {
  // A terminal without a size (some containers' and CI's) would show nothing of a block.
  const hasRoom = output.isTTY && output.columns > 0 && output.rows > 0
  return hasRoom ? redrawnBlock(output) : plainLines(output)
}

function redrawnBlock(output: NodeJS.WriteStream): LiveView {
  const update = createLogUpdate(output)
  return repeated(
    REDRAW_EVERY_MS,
    (progress) => update(frame(progress, colours).join('\n')),
    () => update.done(),
  )
}

function plainLines(output: NodeJS.WriteStream): LiveView {
  return repeated(LINE_EVERY_MS, (progress) => void output.write(`${plainLine(progress)}\n`))
}

function repeated(everyMs: number, show: (progress: Progress) => void, done?: () => void): LiveView {
  let timer: NodeJS.Timeout | undefined
  let source: (() => Progress) | undefined
  return {
    start: (progress) => {
      source = progress
      timer = setInterval(() => show(progress()), everyMs)
    },
    stop: () => {
      clearInterval(timer)
      if (source !== undefined) show(source())
      source = undefined
      done?.()
    },
  }
}
