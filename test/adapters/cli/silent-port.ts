// A port that answers nothing at all, as behind a firewall that drops packets: a listener that is frozen, its queue full.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

export interface SilentPort {
  readonly port: number
  close(): void
}

const LISTENER = `
  const server = require('node:net').createServer()
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port))`

/** What answers within this time is still in the queue. */
const ANSWERS_WITHIN_MS = 300

export async function silentPort(): Promise<SilentPort> {
  const listener = spawn(process.execPath, ['-e', LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface(listener.stdout), 'line')) as [string]
  const port = Number(line)
  listener.kill('SIGSTOP')
  const queued: Socket[] = []
  while (await takesOneMore(port, queued));
  return {
    port,
    close: () => {
      for (const socket of queued) socket.destroy()
      listener.kill('SIGKILL')
    },
  }
}

/** The kernel goes on taking connections until the queue is full; then it drops the packets. */
async function takesOneMore(port: number, queued: Socket[]): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  queued.push(socket)
  const patience = new AbortController()
  const tooLong = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), ANSWERS_WITHIN_MS)
    patience.signal.addEventListener('abort', () => clearTimeout(timer))
  })
  const answered = await Promise.race([once(socket, 'connect').then(() => true), tooLong])
  patience.abort()
  return answered
}
