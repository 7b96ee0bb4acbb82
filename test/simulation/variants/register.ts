// `--import` this with `SIMULATE_VARIANT=name,name`, and core is loaded with those changes made to its text: a
// changed policy runs in the product's own machinery, and the change is what would be adopted.
import { registerHooks } from 'node:module'

import { type Change, VARIANTS } from './changes.ts'

const CORE = new URL('../../../packages/core/src/', import.meta.url).href

const names = (process.env['SIMULATE_VARIANT'] ?? '').split(',').filter((name) => name !== '')
const changes: Change[] = names.flatMap((name) => {
  const found = VARIANTS.get(name)
  if (found === undefined) {
    throw new Error(`no variant is called \`${name}\`; there are ${[...VARIANTS.keys()].join(', ')}`)
  }
  return found.changes
})

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context)
    const own = changes.filter(({ file }) => url === CORE + file)
    if (own.length === 0 || loaded.source === undefined || loaded.source === null) return loaded
    const text = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
    return { ...loaded, source: own.reduce(changed, text) }
  },
})

/** A change that no longer fits is an error: figures of a variant that is not there would be worse than none. */
function changed(text: string, { file, from, to }: Change): string {
  if (text.split(from).length !== 2) throw new Error(`${file} does not have exactly one \`${from}\``)
  return text.replace(from, () => to)
}
