// A program on a terminal of its own, by `script` of util-linux: keys, size, and the screen as a person would see it.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { promisify } from 'node:util'

import { findProgram } from '@leasehold/test-databases'
import xterm from '@xterm/headless'

import { eventually } from '../eventually.ts'

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

export class TerminalProgram {
  readonly #script: ChildProcess
  readonly #screen: InstanceType<typeof xterm.Terminal>
  readonly exitCode: Promise<number | null>
  /** Everything that was written, controls and all. */
  raw = ''

  constructor(command: readonly string[], { columns, rows }: TerminalSize) {
    const quoted = command.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')
    const line = `stty cols ${columns} rows ${rows}; exec ${quoted}`
    this.#screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true })
    this.#script = spawn(
      scriptProgram(),
      ['--quiet', '--flush', '--return', '--command', line, '/dev/null'],
      {
        env: { ...process.env, TERM: 'xterm-256color', NO_COLOR: undefined },
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    )
    this.#script.stdout?.on('data', (chunk: Buffer) => {
      this.raw += chunk.toString()
      this.#screen.write(chunk)
    })
    this.exitCode = new Promise((resolve) => void this.#script.once('close', resolve))
  }

  /** What stands on the screen: a line each, without the blanks at its end. */
  get lines(): readonly string[] {
    const { active } = this.#screen.buffer
    return Array.from(
      { length: this.#screen.rows },
      (_line, row) => active.getLine(row)?.translateToString(true) ?? '',
    )
  }

  /** The program draws on the screen that comes and goes. */
  get isOnOtherScreen(): boolean {
    return this.#screen.buffer.active.type === 'alternate'
  }

  type(keys: string): void {
    this.#script.stdin?.write(keys)
  }

  /** As dragging the window's corner does. */
  async resize({ columns, rows }: TerminalSize): Promise<void> {
    const terminal = terminalOf(this.#script.pid ?? 0)
    this.#screen.resize(columns, rows)
    await promisify(execFile)('stty', ['-F', terminal, 'cols', String(columns), 'rows', String(rows)])
  }

  /** Waits until the screen says so. */
  async shows(what: string, condition: (lines: readonly string[]) => boolean): Promise<void> {
    try {
      await eventually(what, () => condition(this.lines))
    } catch (error) {
      throw new Error(`the screen is\n${this.lines.join('\n')}`, { cause: error })
    }
  }

  end(): void {
    this.#script.kill('SIGKILL')
  }
}

/** Every Debian and Ubuntu has it. */
function scriptProgram(): string {
  const file = findProgram('script')
  if (file === undefined) throw new Error('`script` of util-linux is not in the PATH: install bsdutils')
  return file
}

/** The device that the program below `pid` has as its terminal. */
function terminalOf(pid: number): string {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]
      if (Number(parent) === pid) return readlinkSync(`/proc/${name}/fd/0`)
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error('there is no program on the terminal')
}
