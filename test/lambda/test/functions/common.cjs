// A CommonJS module, and a handler that takes a callback as on Node.js 22 and older.

exports.handler = async (event) => ({ module: 'cjs', event })

exports.callback = (event, _context, callback) => {
  setTimeout(() => {
    if (event.failWith === undefined) callback(null, { called: 'back' })
    else callback(new TypeError(event.failWith))
  }, 1)
}
