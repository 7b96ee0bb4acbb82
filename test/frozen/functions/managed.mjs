// Lambda finds handlers in JavaScript files; this one's source is beside it.
export { handler } from './managed-handler.ts'
