// The database of every function here, and the name under which an error of its driver is counted.
export const database = {
  host: process.env.DB_HOST,
  port: Number(process.env.DB_PORT),
  user: process.env.DB_USER,
  password: process.env.DB_PASSWORD,
  database: process.env.DB_NAME,
}

/** Lambda reports an error's name and message, not its code. */
export function withCodes(handler) {
  return async (event, context) => {
    try {
      await handler(event.workMs / 1_000, context)
    } catch (error) {
      error.name = String(error.code ?? error.name)
      throw error
    }
  }
}
