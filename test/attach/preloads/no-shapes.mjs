// Preloaded before attachment, and `no-shapes-again.mjs` after it: nothing watches the making of emitters.
import { EventEmitter } from 'node:events'

globalThis.emittersAreMadeBy = EventEmitter.init
