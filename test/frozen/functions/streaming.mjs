// Lambda finds handlers in JavaScript files; this one's source is beside it.
export { stream } from './streaming-handler.ts'
