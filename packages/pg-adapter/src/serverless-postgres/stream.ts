/** Cursors and streams on a pool's client: they go on after the call that began them. */

import type pg from 'pg'

/** Begins it, and gives the client back when all that was asked of it has been answered. */
export function stream(client: pg.PoolClient, query: pg.Submittable): pg.Submittable {
  const finish = (destroy: boolean): void => {
    client.off('drain', onDrain)
    client.off('end', onEnd)
    client.release(destroy)
  }
  const onDrain = (): void => finish(false)
  const onEnd = (): void => finish(true)
  client.once('drain', onDrain)
  client.once('end', onEnd)
  return client.query(query)
}
