import { createPool } from '@leasehold/mysql-adapter'

const pool = createPool({
  host: process.env.DB_HOST,
  port: Number(process.env.DB_PORT ?? 3306),
  user: process.env.DB_USER,
  password: process.env.DB_PASSWORD,
  database: 'app',
}).promise()

export const handler = async ({ id }) => {
  const [rows] = await pool.execute('select id, state from orders where id = ?', [id])
  return rows[0] ?? { statusCode: 404 }
}
