// '@leasehold/mysql-adapter/serverless-mysql', or '@leasehold/pg-adapter/serverless': all else stays.
import serverless from '#serverless'

const db = serverless({
  config: {
    host: process.env.DB_HOST,
    port: Number(process.env.DB_PORT),
    user: process.env.DB_USER,
    password: process.env.DB_PASSWORD,
    database: 'app',
  },
  maxQueryRetries: 3,
})

/** A webhook of payments: the provider sends each at least once, and in any order. */
export const handler = async ({ payments }) => {
  const balances = {}
  for (const { id, account, cents } of payments) {
    const results = await db
      .transaction()
      .query('select id from payments where id = ?', [id])
      .query((known) =>
        known.length > 0
          ? null
          : ['insert into payments (id, account, cents) values (?, ?, ?)', [id, account, cents]],
      )
      .query((_last, [known]) =>
        known.length > 0 ? null : ['update accounts set cents = cents + ? where id = ?', [cents, account]],
      )
      .query((booked) =>
        booked.affectedRows === 0
          ? ['insert into accounts (id, cents) values (?, ?)', [account, cents]]
          : null,
      )
      .query('select cents from accounts where id = ?', [account])
      .commit()
    balances[account] = results.at(-1)[0].cents
  }
  await db.end()
  return { statusCode: 200, balances }
}
