import { expect, it } from 'vitest'

import { readCommandLine } from '../src/command-line.ts'

it('does everything by default, on the built packages', () => {
  const { engines, reportPath, nodeArgs } = readCommandLine([])
  expect(engines).toEqual(['postgresql', 'mariadb'])
  expect(reportPath).toMatch(/^\/.*demo-report\.html$/)
  expect(nodeArgs).toEqual([])
})

it('takes one engine, another path, the sources', () => {
  expect(readCommandLine(['--engine', 'mariadb', '--report', '/tmp/a.html', '--source'])).toEqual({
    engines: ['mariadb'],
    reportPath: '/tmp/a.html',
    nodeArgs: ['--conditions=@leasehold/source'],
  })
})

it.each([[['--engine', 'oracle']], [['--fast']], [['postgresql']]])('refuses %j with the usage', (args) => {
  expect(() => readCommandLine(args)).toThrow('--engine NAME')
})
