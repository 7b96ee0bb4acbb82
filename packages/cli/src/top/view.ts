/** Where the moments go: a block redrawn in place on a terminal, a table each or a line of JSON each elsewhere. */

import { styleText } from 'node:util'

import { createLogUpdate } from 'log-update'

import type { Output } from '../io.ts'
import { frame, type Moment, type Paint, plainLines } from './frame.ts'

export interface View {
  show(moment: Moment): void
  /** Leaves the terminal as it was. */
  close(): void
}

/** For output without a width: a file, a pipe. */
const PLAIN_WIDTH = 160

export function plainView(output: Output): View {
  return {
    show: (moment) => void output.write(`${plainLines(moment, PLAIN_WIDTH).join('\n')}\n`),
    close: () => {},
  }
}

/** A line for each moment. */
export function jsonView(output: Output): View {
  return {
    show: ({ notice, nowEpochMs, snapshot }) => {
      const isNew = snapshot !== undefined && snapshot.atEpochMs >= nowEpochMs
      void output.write(`${JSON.stringify({ atEpochMs: nowEpochMs, notice, ...(isNew ? snapshot : {}) })}\n`)
    },
    close: () => {},
  }
}

const ENTER_OTHER_SCREEN = '\u001B[?1049h\u001B[H'
const CLEAR_SCREEN = '\u001B[2J\u001B[H'
const LEAVE_OTHER_SCREEN = '\u001B[?1049l'

/** On the terminal's other screen, so that what stood there before comes back. */
export function terminalView(output: NodeJS.WriteStream, paint: Paint): View {
  const update = createLogUpdate(output)
  let last: Moment | undefined
  const draw = (moment: Moment): void => {
    const { columns, rows } = output
    // One line less: the cursor stands below the block.
    update(frame(moment, { columns, rows: rows - 1 }, paint).join('\n'))
  }
  const onResize = (): void => {
    // A terminal breaks or cuts what was drawn for another width: all of it is drawn again.
    update.done()
    output.write(CLEAR_SCREEN)
    if (last !== undefined) draw(last)
  }
  output.write(ENTER_OTHER_SCREEN)
  output.on('resize', onResize)
  return {
    show: (moment) => {
      last = moment
      draw(moment)
    },
    close: () => {
      output.off('resize', onResize)
      update.done()
      output.write(LEAVE_OTHER_SCREEN)
    },
  }
}

export const coloured: Paint = (format, text) => styleText(format, text, { validateStream: false })

/** A terminal without a size (some containers' and CI's) would show nothing of a block. */
export function isTerminal(output: Output): output is NodeJS.WriteStream {
  return output.isTTY === true && (output.columns ?? 0) > 0 && (output.rows ?? 0) > 0
}
