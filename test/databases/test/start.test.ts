import { chmod, mkdtemp, readdir, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { availability } from '../src/index.ts'
import { openClient } from './clients.ts'

for (const { name, engine, available, remedy, start } of await availability()) {
  const isPostgres = engine === 'postgresql'
  const title = available ? name : `${name} (not here: ${remedy})`
  // MariaDB installs itself, or fails with the remedy.
  describe.skipIf(!available && engine !== 'mariadb')(title, () => {
    let folder: string

    // Readable for everybody, as PostgreSQL may run as somebody else.
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'leasehold-test-'))
      await chmod(folder, 0o755)
      vi.stubEnv('TMPDIR', folder)
    })

    afterEach(async () => {
      vi.unstubAllEnvs()
      await rmdir(folder)
    })

    it('takes settings, and leaves nothing behind when disposed of', async () => {
      const server = await start({
        settings: isPostgres ? { work_mem: '5MB' } : { sort_buffer_size: '5242880' },
      })
      const [row] = await server.admin(isPostgres ? 'show work_mem' : 'select @@sort_buffer_size as size')
      expect(row).toEqual(isPostgres ? { work_mem: '5MB' } : { size: 5_242_880 })
      expect(await readdir(folder)).toHaveLength(1)
      await server.dispose()
      await server.dispose()
      await expect(openClient(server)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
      await expect(server.start()).rejects.toThrow('disposed of')
    })

    it('says why it did not start, and leaves nothing behind', async () => {
      await expect(start({ settings: { no_such_setting: '1' } })).rejects.toThrow(
        /did not start: .*it ended with [17](.|\n)*no[_-]such[_-]setting/,
      )
    })
  })
}
