// No orphans: when the process that started a server ends, in whatever way (SIGKILL included, which no exit
// hook of its own could see), a small shell script kills the server and removes its data.
import { spawn } from 'node:child_process'

/**
 * Reads process ids from standard input, the last of which is the server's (empty: not running). The end of
 * the input is the end of the process that holds the other end of the pipe.
 */
const SCRIPT = `
while read -r line; do server=$line; done
if [ -n "$server" ]; then
  kill -STOP "$server"
  for stat in /proc/[0-9]*/stat; do
    read -r pid name state parent rest <"$stat" && [ "$parent" = "$server" ] && children="$children $pid"
  done
  kill -KILL "$server" $children
fi
rm -rf "$@" || { sleep 1; rm -rf "$@"; }
`

export interface Guard {
  /** Says which process to kill; `undefined` while the server is down. */
  watch(pid: number | undefined): void
  /** Ends the guard without doing anything. */
  release(): void
}

/** Removes the paths in the end, and what is below them. */
export function startGuard(paths: readonly string[]): Guard {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'leasehold-guard', ...paths], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  shell.unref()
  shell.stdin.on('error', () => undefined)
  return {
    watch: (pid) => void shell.stdin.write(`${pid ?? ''}\n`),
    release: () => void shell.kill('SIGKILL'),
  }
}
