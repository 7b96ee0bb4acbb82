/** What a statement's text does to a transaction: begins it, ends it, or neither as far as anybody looks here. */

/** Nothing but the end of a transaction; `ROLLBACK TO` and `COMMIT PREPARED` are not. */
const END = /^(rollback|abort|commit|end)(?:\s+(?:work|transaction))?\s*;?$/i
/** Nothing but the beginning of one. */
const BEGIN = /^(?:begin|start\s+transaction)\b[^;]*;?$/i
const COMMENTS = /\/\*[^]*?\*\/|--[^\n]*/g

/** Of a text or a config object; empty where there is none. */
export function textOf(query: unknown): string {
  const text = typeof query === 'string' ? query : (query as { text?: unknown } | null | undefined)?.text
  return typeof text === 'string' ? text : ''
}

export function isBegin(text: string): boolean {
  return BEGIN.test(bare(text))
}

export function endIn(text: string): 'rollback' | 'commit' | undefined {
  const [, word] = END.exec(bare(text)) ?? []
  if (word === undefined) return undefined
  return /^(?:rollback|abort)$/i.test(word) ? 'rollback' : 'commit'
}

function bare(text: string): string {
  return text.replaceAll(COMMENTS, ' ').trim()
}
