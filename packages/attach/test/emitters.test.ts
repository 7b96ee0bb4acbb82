import { EventEmitter } from 'node:events'

import { afterEach, describe, expect, it } from 'vitest'

import { meetEmitters } from '../src/emitters.ts'

const emitters = EventEmitter as unknown as { init: unknown }
const { init } = emitters
afterEach(() => {
  emitters.init = init
})

describe('the watch for classes of emitters', () => {
  it('meets each class once', () => {
    const met: object[] = []
    expect(meetEmitters((prototype) => met.push(prototype))).toBe(true)
    class Shop extends EventEmitter {}
    expect([new Shop(), new Shop()]).toHaveLength(2)
    expect(met).toEqual([Shop.prototype])
  })

  it('lets an object without a prototype become an emitter', () => {
    meetEmitters(() => undefined)
    const bare = Object.assign(Object.create(null) as object, EventEmitter.prototype) as EventEmitter
    Reflect.apply(EventEmitter as unknown as () => void, bare, [])
    const heard: unknown[] = []
    bare.on('sold', (what) => heard.push(what))
    bare.emit('sold', 1)
    expect(heard).toEqual([1])
  })
})
