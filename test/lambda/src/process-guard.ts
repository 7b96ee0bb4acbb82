// Sees to it that no process outlives its parent: a stopped one would stay for ever.

import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

const live = new Set<number>()
let watcher: Writable | undefined

/** Kills the process group `pid` leads if this process ends before `forget(pid)`, however it ends. */
export function guard(pid: number): void {
  live.add(pid)
  watcher ??= startWatcher()
  tellWatcher()
}

export function forget(pid: number): void {
  live.delete(pid)
  tellWatcher()
}

/**
 * `process.on('exit')` does not run when this process is killed. A shell that remembers the last line
 * of its input notices even that, by the end of its input.
 */
function startWatcher(): Writable {
  process.on('exit', killAll)
  const script = `
    trap '' HUP INT TERM
    while read -r line; do live=$line; done
    for pid in $live; do kill -s KILL -- "-$pid"; done`
  const shell = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  shell.unref()
  shell.on('error', ignore)
  shell.stdin.on('error', ignore)
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref()
  return shell.stdin
}

function tellWatcher(): void {
  watcher?.write(`${[...live].join(' ')}\n`)
}

function killAll(): void {
  for (const pid of live) {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
}

/** Without a shell the exit hook above has to do. */
function ignore(): void {}
