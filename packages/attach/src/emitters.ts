/**
 * Meets every class of emitters when its first object is made. Drivers' pools and connections are such classes, in
 * `node_modules` or in a bundle, minified or not: nothing else finds all of them.
 */

import { EventEmitter } from 'node:events'

interface Emitters {
  init?: (this: EventEmitter, options?: unknown) => void
}

/**
 * Calls `meet` with the prototype of each class of emitters, once, before its first object is built further. Returns
 * false where this Node.js makes emitters in another way: then nobody is met.
 */
export function meetEmitters(meet: (prototype: object) => void): boolean {
  const emitters = EventEmitter as unknown as Emitters
  const { init } = emitters
  if (typeof init !== 'function') return false
  const met = new WeakSet<object>()
  emitters.init = function (this: EventEmitter, options?: unknown): void {
    const prototype = Object.getPrototypeOf(this) as object | null
    // Of no class: an emitter mixed into a bare object.
    if (prototype !== null && !met.has(prototype)) {
      met.add(prototype)
      meet(prototype)
    }
    init.call(this, options)
  }
  return true
}
