/** Cuts what comes over a socket into lines, and those into messages. */

import { MOST_LINE_BYTES } from './protocol.ts'

export class Lines {
  readonly #onMessage: (message: unknown) => void
  #rest = ''

  /** @param onMessage hears of every line that is JSON */
  constructor(onMessage: (message: unknown) => void) {
    this.#onMessage = onMessage
  }

  /** False where the other side does not speak in lines: nothing it says will be understood. */
  push(chunk: string): boolean {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const message = messageIn(line)
      if (message === undefined) return false
      this.#onMessage(message)
    }
    return this.#rest.length <= MOST_LINE_BYTES
  }
}

/** The parser's own error would quote what it could not read. */
function messageIn(line: string): unknown {
  try {
    const message: unknown = JSON.parse(line)
    return typeof message === 'object' && message !== null ? message : undefined
  } catch {
    return undefined
  }
}
