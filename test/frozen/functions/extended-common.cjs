// The same function as a CommonJS module, which can't await: the registration is under way when Init goes on.
const { lambdaExtension } = require('@leasehold/core/lambda')
const { createPool } = require('@leasehold/pg-adapter')

const { makeTrouble } = require('./troubled-api.ts')

makeTrouble()
const { engine: _engine, ...login } = JSON.parse(process.env.FLEET_TARGET)
const status = lambdaExtension(JSON.parse(process.env.EXTENSION))
const pool = createPool({ max: 1, ...login })

exports.handler = async ({ ask }) => {
  if (ask === 'status') return status
  await pool.query('select 1')
}
