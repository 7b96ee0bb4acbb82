// `leasehold plan` from its arguments to what it prints, without a server.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { leasehold } from './run.ts'

const LIMIT = ['plan', '--max-connections', '29', '--cores', '2']
const LOAD = ['--rate', '100', '--work-ms', '50']

describe('leasehold plan', () => {
  it('says what to set, why, and shows it', async () => {
    const { exitCode, stdout, stderr } = await leasehold([...LIMIT, ...LOAD])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(/^The recommended concurrency keeps everything answered\.$/mu)
    expect(stdout).toContain('max_connections 29 (given by --max-connections)')
    expect(stdout).toMatch(/^ {2}the function +\d+ +\d+ +\d+$/mu)
    expect(stdout).toMatch(/alter role app connection limit \d+/u)
    expect(stdout).toContain('sessions, of 23 slots')
    expect(stdout).toContain('costs measured')
  })

  it('prints everything as JSON, and draws', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'leasehold-plan-'))
    try {
      const file = join(folder, 'plan.svg')
      const { exitCode, stdout } = await leasehold([...LIMIT, ...LOAD, '--json', '--svg', file])
      expect(exitCode).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({
        holds: true,
        limit: { isEstimate: false },
        slots: { maxConnections: 29, functionsCount: 23 },
        poolSize: 1,
        tried: [{ load: 'planned' }, { load: 'spread' }, { load: 'saturated' }],
      })
      const svg = await readFile(file, 'utf8')
      expect(svg).toMatch(/^<svg [^]*<\/svg>\n$/u)
      expect(svg).not.toMatch(/NaN|undefined|Infinity/u)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('exits with 1 where the load is not carried', async () => {
    const { exitCode, stdout } = await leasehold([...LIMIT, '--rate', '900', '--work-ms', '50'])
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^This load is not carried/mu)
    expect(stdout).toMatch(/^! 900 requests\/s use 45 sessions at once/mu)
  })

  it('takes several functions', async () => {
    const functions = [
      '--function',
      'orders:rate=60,work=50',
      '--function',
      'reports:rate=1,work=1000,other=100',
    ]
    const { stdout } = await leasehold([...LIMIT, ...functions])
    expect(stdout).toMatch(/^ {2}orders +\d+/mu)
    expect(stdout).toMatch(/^ {2}reports +\d+/mu)
  })

  it('says that an estimate is one, and by which formula', async () => {
    const args = [
      'plan',
      '--instance-class',
      'db.t4g.small',
      '--engine',
      'postgres',
      '--rate',
      '20',
      '--work-ms',
      '20',
    ]
    const { exitCode, stdout } = await leasehold(args)
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(
      /\(estimated: LEAST\(\{DBInstanceClassMemory\/9531392\}, 5000\).*show max_connections/u,
    )
  })

  it('exits with 2 at a file that cannot be written', async () => {
    const { exitCode, stderr } = await leasehold([...LIMIT, ...LOAD, '--svg', '/no/such/folder/plan.svg'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('cannot be written (ENOENT)')
  })
})
