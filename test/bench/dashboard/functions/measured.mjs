// As the README has it, with a secret and metrics; they are sent more often, for the story is told in two minutes.
import { cloudWatch, secret } from '@leasehold/core/aws'
import { lambdaExtension } from '@leasehold/core/lambda'
import { createPool } from '@leasehold/pg-adapter'

const region = 'eu-west-1'
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'of no use to anybody' }
const { DB_HOST, DB_PORT, DB_NAME, DB_FLEET, DB_SECRET, SECRETS_ENDPOINT, METRICS_ENDPOINT } = process.env

const pool = createPool({
  host: DB_HOST,
  port: Number(DB_PORT),
  database: DB_NAME,
  fleet: DB_FLEET,
  credentials: secret(DB_SECRET, { region, credentials, endpoint: SECRETS_ENDPOINT, ttlMs: 15_000 }),
  metrics: cloudWatch({ namespace: 'Shop', everyMs: 1_000, region, credentials, endpoint: METRICS_ENDPOINT }),
})
await lambdaExtension()

export const handler = async ({ workMs }) => {
  await pool.query('select pg_sleep($1)', [workMs / 1_000])
}
