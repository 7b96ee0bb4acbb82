// docs/benchmarks.md and its charts say what the raw data stored beside them says.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { pathToFileURL } from 'node:url'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { dataFolder, differing, madeFiles, writeFiles } from '../bench/fleet/page/page.ts'
import { addFile, readStored } from '../bench/fleet/page/stored.ts'
import { SUBJECTS } from '../bench/fleet/result.ts'
import { SCENARIOS } from '../bench/fleet/scenarios.ts'
import { inventedFile, inventedPart, inventedRun, inventedSimulation } from './invented-fleet.ts'

const DOCS = new URL('../../docs/', import.meta.url)
const PAGE_TEXT = readFileSync(new URL('benchmarks.md', DOCS), 'utf8')

describe('the page of benchmarks', () => {
  it('and its charts are those of the stored data (otherwise: pnpm bench:fleet:page)', async () => {
    expect(differing(DOCS, await madeFiles(DOCS))).toEqual([])
  }, 60_000)

  it('has a place for every scenario', () => {
    for (const { name } of SCENARIOS) expect(PAGE_TEXT).toContain(`<!-- made: fleet ${name} -->`)
  })

  it('links to every chart and to all raw data', async () => {
    const { fleets, simulated } = readStored(dataFolder(DOCS))
    const charts = [...(await madeFiles(DOCS)).keys()].filter((path) => path.endsWith('.svg'))
    const data = [
      ...fleets.map(({ name }) => name),
      ...(simulated === undefined ? [] : ['simulation.json.gz']),
    ]
    for (const path of [...charts, ...data.map((name) => `benchmarks/data/${name}`)]) {
      expect(PAGE_TEXT).toContain(`](${path})`)
    }
  }, 60_000)
})

describe('the page made of invented figures', () => {
  let docs: URL
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(`${tmpdir()}/benchmarks-page-`)
    docs = new URL(`${pathToFileURL(folder).href}/`)
    const empty = PAGE_TEXT.replaceAll(/(<!-- made: [^>]* -->\n)[^]*?(<!-- made end -->)/g, '$1$2')
    writeFileSync(new URL('benchmarks.md', docs), empty)
  })

  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  function add(...file: Parameters<typeof inventedFile>): void {
    const path = `${folder}/added.json`
    writeFileSync(path, JSON.stringify(inventedFile(...file)))
    addFile(dataFolder(docs), path)
  }

  async function page(): Promise<string> {
    const files = await madeFiles(docs)
    writeFiles(docs, files)
    return files.get('benchmarks.md') ?? ''
  }

  it('has median and range of several rounds, and every failure of all of them', async () => {
    add(
      [1, 2, 3].flatMap((round) => [
        inventedRun('contention', 'leasehold', { round }),
        inventedRun('contention', 'bare', { round }),
      ]),
    )
    const lines = (await page()).split('\n')
    const leasehold = lines.find(
      (line) => line.startsWith('| Leasehold ') && line.includes('920 (910 to 930)'),
    )
    expect(leasehold).toMatch(/\| 3 +\| 100 % +\| 0 /)
    expect(lines.find((line) => line.startsWith('| bare pool ') && line.includes('66.7 %'))).toBeDefined()
    expect(lines.find((line) => line.startsWith('Failed with: bare pool'))).toContain('× `53300`')
  })

  it('draws a chart of every scenario that has somebody to compare', async () => {
    const parted = inventedRun('second-function', 'leasehold')
    add([
      { ...parted, parts: { first: inventedPart(parted, 0), second: inventedPart(parted, 4_000) } },
      ...SUBJECTS.map((subject) => inventedRun('contention', subject)),
      inventedRun('contention', 'bare', { engine: 'mysql' }),
      inventedRun('contention', 'leasehold', { engine: 'mysql' }),
    ])
    await page()
    const names = [...(await madeFiles(docs)).keys()]
    expect(names).toEqual([
      'benchmarks.md',
      'benchmarks/contention-postgresql.svg',
      'benchmarks/contention-postgresql-over-time.svg',
      'benchmarks/contention-mysql.svg',
      'benchmarks/contention-mysql-over-time.svg',
    ])
  })

  it('draws a subject that answered nothing', async () => {
    const none = inventedRun('contention', 'bare')
    const NONE = Number.NaN
    add([
      inventedRun('contention', 'leasehold'),
      {
        ...none,
        ratePerS: 0,
        requests: { answered: 0, failed: 9, throttled: 0, failures: { '53300': 9 } },
        latencyMs: { p50: NONE, p95: NONE, p99: NONE, max: NONE, histogram: [] },
        latencyOverTime: [],
        connectsPerAnswer: NONE,
        answeredPerS: none.answeredPerS.map(() => 0),
      },
    ])
    expect(await page()).toMatch(/\| bare pool +\| 1 +\| 0 % /)
    const chart = readFileSync(new URL('benchmarks/contention-postgresql.svg', docs), 'utf8')
    expect(chart).toContain('no answer')
    expect(chart).not.toContain('NaN')
  })

  it('takes the newer of two measurements of a scenario, and keeps what only the older has', async () => {
    add(
      [inventedRun('contention', 'leasehold'), inventedRun('flood', 'leasehold')],
      '2001-01-01T00:00:00.000Z',
    )
    add([inventedRun('contention', 'leasehold', { ratePerS: 4_321 })], '2001-01-02T00:00:00.000Z')
    expect(readStored(dataFolder(docs)).fleets).toHaveLength(2)
    const text = await page()
    expect(text).toContain('4,321')
    expect(text.match(/\| Leasehold +\| 1 +\| 100 % +\| 0 +\| 910 /g)).toHaveLength(1)
    add([inventedRun('flood', 'leasehold')], '2001-01-03T00:00:00.000Z')
    expect(readStored(dataFolder(docs)).fleets.map(({ name }) => name)).toEqual([
      'fleet-2001-01-03-0000.json.gz',
      'fleet-2001-01-02-0000.json.gz',
    ])
  })

  it('shows the simulated grid and arrivals, a later run of a world in place of the earlier', async () => {
    const path = `${folder}/simulated.json`
    const store = (runs: readonly ReturnType<typeof inventedSimulation>[]): void => {
      writeFileSync(path, JSON.stringify({ provenance: 'invented', runs }))
      addFile(dataFolder(docs), path)
    }
    const policies = ['leasehold', 'proxy']
    store(policies.map((policy) => inventedSimulation('grid-1000-100', policy)))
    store(policies.map((policy) => inventedSimulation('storm', policy)))
    store([{ ...inventedSimulation('grid-1000-100', 'leasehold'), p99Ms: 4_321 }])
    const text = await page()
    expect(text).toMatch(/\| 100 +\| postgresql \| Leasehold +\| 100 % .*\| 4,321 /)
    expect(text.match(/\| 100 +\| postgresql \| Leasehold /g)).toHaveLength(1)
    expect([...(await madeFiles(docs)).keys()]).toEqual([
      'benchmarks.md',
      'benchmarks/simulated-1000-postgresql.svg',
      'benchmarks/simulated-1000-postgresql-pressure.svg',
      'benchmarks/simulated-arrivals-postgresql.svg',
    ])
  })

  it('names what is out of date: a figure changed by hand, a missing chart, a chart of no data', async () => {
    add(SUBJECTS.map((subject) => inventedRun('contention', subject)))
    const text = await page()
    expect(differing(docs, await madeFiles(docs))).toEqual([])
    writeFileSync(new URL('benchmarks.md', docs), text.replaceAll('910', '999'))
    rmSync(new URL('benchmarks/contention-postgresql.svg', docs))
    cpSync(
      new URL('benchmarks/contention-postgresql-over-time.svg', docs),
      new URL('benchmarks/gone.svg', docs),
    )
    expect(differing(docs, await madeFiles(docs))).toEqual([
      'benchmarks.md',
      'benchmarks/contention-postgresql.svg',
      'benchmarks/gone.svg',
    ])
  })

  it('refuses a scenario that the page has no place for', async () => {
    add([inventedRun('unheard-of', 'leasehold')])
    await expect(madeFiles(docs)).rejects.toThrow('fleet unheard-of')
  })

  it('refuses a file of something else', () => {
    writeFileSync(`${folder}/other.json`, '{"hello":1}')
    expect(() => addFile(dataFolder(docs), `${folder}/other.json`)).toThrow('bench:fleet --json')
  })
})
