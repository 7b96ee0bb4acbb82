/** Runs the steps in their order, and stops after the one that makes the rest senseless. */

import { type Clock, codeOf, type Env, LeaseholdError } from '@leasehold/core'

import { kindOf } from '../target/classify.ts'
import type { Target } from '../target/target.ts'
import { Examination } from './examination.ts'
import { type Finding, goOn, type StepOutcome, stop, wrong } from './finding.ts'
import type { Redactor } from './redactor.ts'
import { STEP_NAMES, type StepName } from './step-names.ts'
import { examineCredentials, isPlacedBySecret } from './steps/credentials.ts'
import { examineLease } from './steps/lease.ts'
import { examineLogin } from './steps/login.ts'
import { examineName } from './steps/name.ts'
import { examinePort } from './steps/port.ts'
import { examinePressure } from './steps/pressure.ts'
import { examineProtocol } from './steps/protocol.ts'
import { examineProxy } from './steps/proxy.ts'
import { examineRights } from './steps/rights.ts'
import { examineSlots } from './steps/slots.ts'
import { examineTime } from './steps/time.ts'
import { examineTls } from './steps/tls.ts'
import { examineToken } from './steps/token.ts'
import { examineVersion } from './steps/version.ts'

const STEPS: Readonly<Record<StepName, (examination: Examination) => Promise<StepOutcome>>> = {
  name: examineName,
  port: examinePort,
  protocol: examineProtocol,
  tls: examineTls,
  credentials: examineCredentials,
  token: examineToken,
  login: examineLogin,
  version: examineVersion,
  proxy: examineProxy,
  rights: examineRights,
  slots: examineSlots,
  pressure: examinePressure,
  time: examineTime,
  lease: examineLease,
}

export type StepStatus = Finding['status'] | 'not run'

export interface StepReport {
  readonly step: StepName
  /** The worst of its findings. */
  readonly status: StepStatus
  readonly findings: readonly Finding[]
  readonly tookMs: number
}

export interface Report {
  /** Nothing is wrong. Warnings are not. */
  readonly isFine: boolean
  /** Where the server is, as the driver understands the options. */
  readonly place: {
    readonly host: string
    readonly port: number
    readonly database: string | undefined
    readonly user: string | undefined
  }
  readonly steps: readonly StepReport[]
}

export interface ExaminationParts {
  readonly clock: Clock
  readonly env: Env
  /** The longest that any single wait may take, in milliseconds. */
  readonly limitMs: number
  readonly redactor: Redactor
  /** Told of each step as it ends. */
  readonly onStep?: (report: StepReport) => void
}

/** Never rejects for what is wrong with the server: that is what the report is for. */
export async function examine(target: Target, parts: ExaminationParts): Promise<Report> {
  const { clock } = parts
  const examination = new Examination(target, parts)
  const steps: StepReport[] = []
  let goesOn = true
  try {
    for (const step of orderOf(examination)) {
      const startMs = clock.monotonicMs()
      const outcome: StepOutcome | undefined = goesOn ? await outcomeOf(step, examination) : undefined
      const report = {
        step,
        status: outcome === undefined ? ('not run' as const) : worstOf(outcome.findings),
        findings: outcome?.findings ?? [],
        tookMs: Math.round(clock.monotonicMs() - startMs),
      }
      steps.push(report)
      parts.onStep?.(report)
      goesOn &&= outcome?.goesOn ?? false
    }
  } finally {
    await examination.end()
  }
  const { host, port, database, user } = examination.place
  return {
    isFine: steps.every(({ status }) => status !== 'wrong'),
    place: { host, port, database, user },
    steps,
  }
}

/** Where the host stands in a secret, that is read first. */
function orderOf(examination: Examination): readonly StepName[] {
  if (!isPlacedBySecret(examination)) return STEP_NAMES
  return ['credentials', ...STEP_NAMES.filter((step) => step !== 'credentials')]
}

/** After the login a step that fails by itself does not keep the others from being tried, unless the connection is gone. */
async function outcomeOf(step: StepName, examination: Examination): Promise<StepOutcome> {
  try {
    return await STEPS[step](examination)
  } catch (error) {
    const code = codeOf(error)
    if (LeaseholdError.is(error))
      return stop(wrong('NO_ANSWER', `no answer within ${examination.limitMs} ms`))
    const kind = kindOf(examination.target.protocol, error)
    if (kind === 'saturated')
      return stop(wrong('SATURATED', `the slot was gone when it was wanted again (${code})`))
    if (kind === 'lost' || kind === 'starting')
      return stop(wrong('CONNECTION_LOST', `the connection went away (${code})`))
    const words = error instanceof Error ? error.message : 'no words were given'
    const finding = wrong('UNEXPECTED', `${words} (${code})`)
    return examination.engine === undefined ? stop(finding) : goOn(finding)
  }
}

const BY_SEVERITY = ['wrong', 'warning', 'fine', 'skipped'] as const

function worstOf(findings: readonly Finding[]): Finding['status'] {
  return BY_SEVERITY.find((severity) => findings.some(({ status }) => status === severity)) ?? 'fine'
}
