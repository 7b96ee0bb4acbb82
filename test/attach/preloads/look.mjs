// What a function tells of itself when a test asks.
globalThis.look = (what) => {
  const { hold, invocation } = globalThis[Symbol.for('leasehold.process.1')] ?? {}
  if (what === 'process') return { hold: hold !== undefined, invocation: invocation !== undefined }
  return globalThis[Symbol.for('leasehold.attach.1')]?.look() ?? 'not attached'
}
