/** Every fault that an examination can name: what it means, and how to mend it. The page of the docs is made of it. */

import { FAULTS_OF_LOGIN } from './faults/login.ts'
import { FAULTS_OF_SERVER } from './faults/server.ts'
import { FAULTS_OF_WAY } from './faults/way.ts'
import type { StepName } from './step-names.ts'

export interface Fault {
  /** Where it is found; `any` where it may be at every question that is asked of the server. */
  readonly step: StepName | 'any'
  readonly meaning: string
  readonly remedy: string
}

/** The list is closed: a new code is a new minor version. */
export type FaultCode =
  | keyof typeof FAULTS_OF_WAY
  | keyof typeof FAULTS_OF_LOGIN
  | keyof typeof FAULTS_OF_SERVER

export const FAULTS: Readonly<Record<FaultCode, Fault>> = {
  ...FAULTS_OF_WAY,
  ...FAULTS_OF_LOGIN,
  ...FAULTS_OF_SERVER,
}

export function faultOf(code: FaultCode): Fault {
  return FAULTS[code]
}
