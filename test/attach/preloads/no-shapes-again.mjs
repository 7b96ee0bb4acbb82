// The second half of `no-shapes.mjs`: a module runs but once.
import { EventEmitter } from 'node:events'

EventEmitter.init = globalThis.emittersAreMadeBy
