import { describe, expect, it } from 'vitest'

import { leasehold } from '../captured.ts'

const LIMIT = ['plan', '--max-connections', '29', '--cores', '2']
const LOAD = ['--rate', '100', '--work-ms', '50']

describe('leasehold plan', () => {
  it.each<[string, string[], string]>([
    ['no limit and no server', ['plan', ...LOAD], 'which limit? Give --max-connections'],
    ['two limits', [...LIMIT, '--acu', '1-4', ...LOAD], 'leave the others out'],
    ['no load', LIMIT, '--rate and --work-ms missing'],
    ['half a load', [...LIMIT, '--rate', '5'], '--work-ms missing'],
    ['a load twice', [...LIMIT, ...LOAD, '--function', 'a:rate=1,work=1'], 'not both'],
    ['a function without its parts', [...LIMIT, '--function', 'orders'], 'like orders:rate=300,work=40'],
    [
      'a function with unknown parts',
      [...LIMIT, '--function', 'a:rate=1,work=1,x=2'],
      'like orders:rate=300',
    ],
    ['a number that is none', [...LIMIT, '--rate', 'many', '--work-ms', '5'], 'It must be a number'],
    ['an unknown engine', [...LIMIT, ...LOAD, '--engine', 'oracle'], 'must be one of postgresql, mysql'],
    ['an unknown class', ['plan', '--instance-class', 'db.z9.large', ...LOAD], 'is not known'],
    ['Aurora without a class', [...LIMIT, ...LOAD, '--aurora'], '--aurora goes with --instance-class'],
    ['slots that are gone', [...LIMIT, ...LOAD, '--others', '26'], 'no slots are left'],
  ])('exits with 2 at %s, and names the remedy', async (_what, args, remedy) => {
    const { exitCode, stdout, stderr } = await leasehold(args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(remedy)
  })
})
