// The same questions to every library.
import { beforeAll, describe, expect, it } from 'vitest'

import { eventually } from '../eventually.ts'
import type { ServerUnderTest } from '../server.ts'
import type { Library, LibraryInUse } from './library.ts'

export function libraries(
  under: ServerUnderTest,
  all: readonly Library[],
  runAsOwner: (sql: string) => Promise<void>,
): void {
  beforeAll(() => runAsOwner('create table notes (text varchar(40))'))

  describe.each(all.map((library) => [library.name, library] as const))('%s', (_name, library) => {
    const use = async (work: (inUse: LibraryInUse) => Promise<void>): Promise<void> => {
      const inUse = await library.open(under.target)
      try {
        await work(inUse)
      } finally {
        await inUse.end()
      }
    }
    const count = async (text: string): Promise<number> => {
      const [row] = await under.server.admin(`select count(*) as n from notes where text = '${text}'`)
      return Number(row?.['n'])
    }

    it('keeps the rows of a transaction that it commits', () =>
      use(async (inUse) => {
        const text = `${library.name} commits`
        await inUse.addNote(text, 'commit')
        expect(await count(text)).toBe(1)
      }))

    it('keeps no row of a transaction that it rolls back', () =>
      use(async (inUse) => {
        const text = `${library.name} rolls back`
        await inUse.addNote(text, 'rollback')
        expect(await count(text)).toBe(0)
        await inUse.addNote(text, 'commit')
        expect(await count(text)).toBe(1)
      }))

    it('answers, and begins a transaction, after its idle session was killed', () =>
      use(async (inUse) => {
        const killed: number[] = []
        for (let turn = 0; turn < 2; turn += 1) {
          const id = await inUse.sessionId()
          expect(killed).not.toContain(id)
          killed.push(id)
          await killIdle()
        }
        const text = `${library.name} survives`
        await inUse.addNote(text, 'commit')
        expect(await count(text)).toBe(1)
      }))

    it('leaves no session behind when it ends', () =>
      use(async (inUse) => {
        await inUse.sessionId()
        await inUse.end()
        await eventually('no session is left', async () => (await under.server.sessions()).length === 0)
      }))

    it.each(library.streams === true ? [true] : [])('streams rows', () =>
      use(async (inUse) => {
        for (const turn of [1, 2, 3]) await inUse.addNote(`${library.name} streams ${turn}`, 'commit')
        const texts = (await inUse.stream?.()) ?? []
        expect(texts.filter((text) => text.startsWith(`${library.name} streams`))).toHaveLength(3)
      }),
    )
  })

  async function killIdle(): Promise<void> {
    for (const { id } of await under.server.sessions()) await under.server.terminate(id)
    await eventually('the sessions are gone', async () => (await under.server.sessions()).length === 0)
    // What the server said last is in this process by now; let the drivers read it.
    await new Promise((resolve) => setImmediate(resolve))
  }
}
