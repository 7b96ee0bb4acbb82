import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it, vi } from 'vitest'

import { leasehold } from '../../packages/cli/test/captured.ts'

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url))
/** A process takes its time where others run. */
vi.setConfig({ testTimeout: 30_000 })

const NODE_ARGS = ['--conditions=@leasehold/source', MAIN]

function asProcess(...args: string[]): string {
  return execFileSync(process.execPath, [...NODE_ARGS, ...args], { encoding: 'utf8' })
}

describe('the program', () => {
  it('prints its commands and examples when asked for help', async () => {
    const { exitCode, stdout, stderr } = await leasehold(['--help'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    for (const command of ['plan', 'doctor', 'top']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'mu'))
      expect(stdout).toContain(`$ leasehold ${command} `)
    }
  })

  it('prints its version', async () => {
    expect(await leasehold(['--version'])).toEqual({ exitCode: 0, stdout: '0.1.0\n', stderr: '' })
  })

  it('calls for a command when it is given none', async () => {
    const { exitCode, stdout, stderr } = await leasehold([])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain('Commands:')
  })

  it.each([
    ['a command that is misspelt', ['paln'], '(Did you mean plan?)'],
    ['an option that is misspelt', ['plan', '--verbos', '1'], "unknown option '--verbos'"],
    ['a shell that nobody knows', ['completion', 'tcsh'], 'Allowed choices are zsh, bash, fish'],
  ])('exits with 2 at %s, and says what would do', async (_what, args, remedy) => {
    const { exitCode, stdout, stderr } = await leasehold(args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(remedy)
  })

  it('runs as a process of its own', () => {
    expect(asProcess('--version')).toBe('0.1.0\n')
    expect(spawnSync(process.execPath, [...NODE_ARGS, 'paln']).status).toBe(2)
  })
})

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('prints a script for %s that asks the program', (shell) => {
    expect(asProcess('completion', shell)).toMatch(/leasehold complete --/u)
  })

  it('completes a command and its options at the prompt of a bash', () => {
    const folder = mkdtempSync(join(tmpdir(), 'leasehold-completion-'))
    const words = [process.execPath, ...NODE_ARGS].map((word) => `'${word}'`).join(' ')
    writeFileSync(join(folder, 'leasehold'), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 })
    // As bash-completion has it, without which no script of this kind works.
    const script = `
      _get_comp_words_by_ref() { words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=\${words[cword]}; prev=\${words[cword-1]}; }
      compopt() { :; }
      source <(leasehold completion bash)
      answer() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); __leasehold_complete; echo "\${COMPREPLY[@]}"; }
      complete -p leasehold
      answer leasehold do
      answer leasehold top --int`
    try {
      const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` }
      const said = execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8', env })
      expect(said.split('\n').slice(0, 3)).toEqual([
        'complete -F __leasehold_complete leasehold',
        'doctor',
        '--interval-ms',
      ])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('offers commands by how they begin', () => {
    expect(asProcess('complete', '--', 'pl')).toMatch(/^plan\t.+/u)
  })

  it('offers the options of a command', () => {
    expect(asProcess('complete', '--', 'plan', '--')).toMatch(/^--help\t/mu)
  })
})
