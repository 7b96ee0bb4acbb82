/** @leasehold/pg-adapter/serverless-postgres: the public face of serverless-postgres 2.1, so that moving costs one import line. */

import { ServerlessClient } from './client.ts'

// The ancestor's own shape, for `require` too. Whatever else were exported here would change that.
export default ServerlessClient
