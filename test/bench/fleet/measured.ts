// Who is measured: on which engines, by which handler, and through what.
import type { EngineName, SubjectName } from './result.ts'

export interface Subject {
  readonly name: SubjectName
  readonly engines: readonly EngineName[]
  /** Its file in the engine's folder of functions. */
  readonly file: string
  readonly isPooled: boolean
  /** Runs only where it is asked for. */
  readonly isExtra: boolean
}

const MYSQL_FAMILY = ['mariadb', 'mysql'] as const
const EVERY_ENGINE = ['postgresql', ...MYSQL_FAMILY] as const

function subject(
  name: SubjectName,
  engines: readonly EngineName[],
  more: Partial<Omit<Subject, 'name' | 'engines'>> = {},
): Subject {
  return { name, engines, file: name, isPooled: false, isExtra: false, ...more }
}

export const MEASURED: readonly Subject[] = [
  subject('leasehold', EVERY_ENGINE),
  subject('pgbouncer', ['postgresql'], { file: 'bare', isPooled: true }),
  subject('bare', EVERY_ENGINE),
  subject('per-invocation', EVERY_ENGINE),
  subject('serverless-postgres', ['postgresql']),
  subject('serverless-mysql', MYSQL_FAMILY),
  subject('leasehold-enter', EVERY_ENGINE, { isExtra: true }),
]

/** The folder of an engine's functions: MariaDB and MySQL have one driver. */
export function folderOf(engine: EngineName): string {
  return engine === 'postgresql' ? 'postgresql' : 'mysql'
}
