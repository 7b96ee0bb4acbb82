// A relay that goes as far as a certain statement, and cuts the connection where it would pass that on.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface CuttingRelay {
  readonly port: number
  /** Connections that were cut. */
  readonly cuts: number
  /** From now on everything passes. */
  heal(): void
  close(): void
}

const COM_QUERY = 3

/** @param cutAt told the text of each statement */
export async function startCuttingRelay(
  target: { readonly host: string; readonly port: number },
  cutAt: (sql: string) => boolean,
): Promise<CuttingRelay> {
  const sockets = new Set<Socket>()
  let cuts = 0
  let isHealed = false
  const server = createServer((client) => {
    const upstream = connect({ host: target.host, port: target.port })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
    }
    upstream.pipe(client)
    upstream.on('close', () => client.destroy())
    client.on('close', () => upstream.destroy())
    client.on('data', (data) => {
      const isQuery = data[3] === 0 && data[4] === COM_QUERY
      if (isQuery && !isHealed && cutAt(data.toString('latin1', 5))) {
        cuts += 1
        client.destroy()
        upstream.destroy()
      } else upstream.write(data)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    port,
    get cuts() {
      return cuts
    },
    heal: () => {
      isHealed = true
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
