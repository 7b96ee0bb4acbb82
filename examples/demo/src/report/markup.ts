// HTML as tagged templates: what is put in is escaped, unless it is markup already.

export interface Markup {
  readonly text: string
}

export function html(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | Markup)[]
): Markup {
  const parts = strings.map((text, index) => {
    const value = values[index]
    if (value === undefined) return text
    return text + (typeof value === 'object' ? value.text : escape(String(value)))
  })
  return { text: parts.join('') }
}

/** Text that is known to be safe: a style sheet, SVG. */
export function raw(text: string): Markup {
  return { text }
}

export function join(parts: readonly Markup[], separator = '\n'): Markup {
  return { text: parts.map(({ text }) => text).join(separator) }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
