import { createPool } from '@leasehold/pg-adapter'

const pool = createPool({
  host: process.env.DB_HOST,
  port: Number(process.env.DB_PORT ?? 5432),
  user: process.env.DB_USER,
  password: process.env.DB_PASSWORD,
  database: 'app',
})

export const handler = async ({ id }) => {
  const { rows } = await pool.query('select id, state from orders where id = $1', [id])
  return rows[0] ?? { statusCode: 404 }
}
