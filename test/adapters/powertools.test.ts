// The option `logger` takes the logger that many functions have: Powertools', whose lines are JSON of their own.
import { Logger } from '@aws-lambda-powertools/logger'
import { createPool as createMysqlPool } from '@leasehold/mysql-adapter'
import { createPool as createPgPool } from '@leasehold/pg-adapter'
import { afterEach, describe, expect, it, vi } from 'vitest'

const NOWHERE = { host: '127.0.0.1', port: 1, user: 'app', database: 'shop', resumeBudgetMs: 0 }

const ENGINES = {
  postgresql: async (logger: Logger) => {
    const pool = createPgPool({ ...NOWHERE, logger })
    await pool.query('select 1').catch(() => undefined)
    await pool.end()
  },
  mysql: async (logger: Logger) => {
    const pool = createMysqlPool({ ...NOWHERE, logger }).promise()
    await pool.query('select 1').catch(() => undefined)
    await pool.end()
  },
}

describe('a line in the log of Powertools', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  })

  it.each(Object.entries(ENGINES))('has what the pool says of it as members: %s', async (engine, ask) => {
    // Its lines go to the console then, where a test can see them.
    vi.stubEnv('POWERTOOLS_DEV', 'true')
    const error = vi.spyOn(console, 'error').mockReturnValue(undefined)
    await ask(new Logger({ serviceName: 'shop' }))
    expect(error).toHaveBeenCalledTimes(1)
    const line = JSON.parse(String(error.mock.calls[0]?.[0])) as object
    expect(line).toMatchObject({
      level: 'ERROR',
      service: 'shop',
      message: expect.stringMatching(/^leasehold: no connection within /) as string,
      cause: 'starting',
      fleet: 'leasehold',
      engine,
      target: '127.0.0.1:1',
      kind: 'starting',
      code: 'ECONNREFUSED',
      attempts: 1,
    })
  })
})
