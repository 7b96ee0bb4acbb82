/** `?` placeholders as PostgreSQL numbers them, so that one statement serves both engines. */

/**
 * What is read as one piece and left as it is: strings (with backslashes where `e'…'` says so), names,
 * dollar-quoted strings, comments, operators with `?` in them, and `$1`, after which nothing is translated.
 */
const PIECES =
  /\be'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<![\p{L}\p{N}_$])(\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$)[^]*?\1|--[^\n]*|\/\*|\?\?|\?\|(?!\|)|\?&|(?<![\p{L}\p{N}_$])\$\d+|\?/giu

/**
 * Numbers the placeholders of a statement. Leaves it alone where it has `$1` of its own. `??` is a literal
 * `?`; the operators `?|` and `?&` stay.
 */
export function numbered(sql: string): string {
  if (!sql.includes('?')) return sql
  let text = ''
  let count = 0
  let from = 0
  PIECES.lastIndex = 0
  for (let piece = PIECES.exec(sql); piece !== null; piece = PIECES.exec(sql)) {
    const [found] = piece
    text += sql.slice(from, piece.index)
    from = piece.index + found.length
    if (found === '?') text += `$${(count += 1)}`
    else if (found === '??') text += '?'
    else if (found === '/*') {
      const end = endOfComment(sql, piece.index)
      text += sql.slice(piece.index, end)
      from = PIECES.lastIndex = end
    } else if (/^\$\d/.test(found)) return sql
    else text += found
  }
  return text + sql.slice(from)
}

/** Comments nest. */
function endOfComment(sql: string, start: number): number {
  const marks = /\/\*|\*\//g
  marks.lastIndex = start
  let depth = 0
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    depth += mark[0] === '/*' ? 1 : -1
    if (depth === 0) return marks.lastIndex
  }
  return sql.length
}
