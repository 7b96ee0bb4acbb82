// An ordinary function: the bare driver, a pool, nothing of Leasehold's. The layer brings the driver and governs the pool.
const { Pool } = require('pg')

const pool = new Pool({
  host: process.env.DB_HOST,
  port: Number(process.env.DB_PORT ?? 5432),
  user: process.env.DB_USER,
  database: process.env.DB_NAME,
})

exports.handler = async () => (await pool.query('select now() as now')).rows[0]
