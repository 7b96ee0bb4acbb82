import { readdirSync, readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import type { Report } from '../src/doctor/examine.ts'
import { FAULTS, type FaultCode } from '../src/doctor/faults.ts'
import { fine, warning, wrong } from '../src/doctor/finding.ts'
import { Redactor } from '../src/doctor/redactor.ts'
import { plain, stepLines, toJson, verdict } from '../src/doctor/report.ts'
import { QUESTIONS, STEP_NAMES } from '../src/doctor/step-names.ts'
import { readToken } from '../src/doctor/steps/token.ts'

const CODES = Object.keys(FAULTS) as FaultCode[]

describe('the list of faults', () => {
  it.each(CODES)('%s is of a step, and says what it means and how to mend it', (code) => {
    const { meaning, remedy, step } = FAULTS[code]
    expect(step === 'any' || STEP_NAMES.includes(step)).toBe(true)
    for (const text of [meaning, remedy]) expect(text).toMatch(/^[A-Z`].*[.?]$/)
  })

  it.each(CODES)('%s is provoked by a test', (code) => {
    const folders = [new URL('.', import.meta.url), new URL('../../../test/adapters/cli/', import.meta.url)]
    const texts = folders.flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => /^doctor-.*\.test\.ts$/.test(name))
        .map((name) => readFileSync(new URL(name, folder), 'utf8')),
    )
    expect(texts.some((text) => text.includes(`'${code}'`))).toBe(true)
  })

  it('has a question for every step', () => {
    expect(Object.keys(QUESTIONS)).toEqual([...STEP_NAMES])
  })
})

const REPORT: Report = {
  isFine: false,
  place: { host: 'db.example', port: 5432, database: 'shop', user: 'app' },
  steps: [
    { step: 'name', status: 'fine', findings: [fine('db.example is 10.0.0.1')], tookMs: 3 },
    { step: 'tls', status: 'warning', findings: [warning('TLS_OFF', 'not asked for')], tookMs: 0 },
    {
      step: 'login',
      status: 'wrong',
      findings: [wrong('SATURATED', 'full', { remedy: 'Wait.' })],
      tookMs: 9,
    },
    { step: 'lease', status: 'not run', findings: [], tookMs: 0 },
  ],
}

describe('a report', () => {
  it('tells each finding with its meaning and remedy', () => {
    const lines = REPORT.steps.flatMap((step) => stepLines(step, plain))
    expect(lines).toEqual([
      '  ok       name         db.example is 10.0.0.1',
      '  warning  tls          not asked for',
      `                        TLS_OFF: ${FAULTS.TLS_OFF.meaning}`,
      `                        ${FAULTS.TLS_OFF.remedy}`,
      '  WRONG    login        full',
      `                        SATURATED: ${FAULTS.SATURATED.meaning}`,
      '                        Wait.',
      '  not run  lease',
    ])
  })

  it('counts in its last line what was found, and what was not looked at', () => {
    expect(verdict(REPORT, plain)).toBe(
      '1 of 4 steps found something wrong; 1 with a warning; 1 not run: they make no sense before that is mended',
    )
  })

  it('carries the same for programs', () => {
    const { isFine, steps } = JSON.parse(toJson(REPORT)) as {
      isFine: boolean
      steps: { findings: object[] }[]
    }
    expect(isFine).toBe(false)
    expect(steps[2]?.findings).toEqual([
      {
        status: 'wrong',
        fault: 'SATURATED',
        summary: 'full',
        meaning: FAULTS.SATURATED.meaning,
        remedy: 'Wait.',
      },
    ])
  })
})

describe('what is printed', () => {
  it.each(['hunter2/+"', 'a', 'pass&word=%41'])(
    'has no secret in it, nor its encoded forms: %s',
    (secret) => {
      const redactor = new Redactor()
      redactor.knows(secret)
      const text = [secret, encodeURIComponent(secret), JSON.stringify(secret)].join(' | ')
      expect(redactor.clean(text)).not.toContain(secret)
      expect(redactor.clean(text)).toContain('(hidden)')
    },
  )

  it('has nothing of a secret that begins with another', () => {
    const redactor = new Redactor()
    redactor.knows('hunter')
    redactor.knows('hunter2')
    expect(redactor.clean('hunter2')).toBe('(hidden)')
  })
})

describe('a token', () => {
  const TOKEN =
    'shop.abc.eu-west-1.rds.amazonaws.com:5432/?Action=connect&DBUser=app&X-Amz-Credential=AKID%2F20261121%2Feu-west-1%2Frds-db%2Faws4_request&X-Amz-Date=20261121T140000Z&X-Amz-Expires=900&X-Amz-Signature=00ff'

  it('says what it is signed for, and nothing that is secret', () => {
    const reading = readToken(TOKEN)
    expect(reading).toEqual({
      host: 'shop.abc.eu-west-1.rds.amazonaws.com',
      port: 5432,
      user: 'app',
      region: 'eu-west-1',
      livesS: 900,
      signedAt: '20261121T140000Z',
    })
  })

  it.each(['hunter2', 'https://db.example/?X-Amz-Signature=00', ''])(
    'is not seen in a password: %s',
    (password) => {
      expect(readToken(password)?.user).toBeUndefined()
    },
  )
})
