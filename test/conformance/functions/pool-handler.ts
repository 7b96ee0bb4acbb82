// A Lambda function with one governed pool, which answers the suite's questions one an invocation.
import { openPool, type Target } from '../askers.ts'

const pool = openPool(JSON.parse(process.env['CONFORMANCE_TARGET'] ?? '{}') as Target)

export interface Question {
  readonly ask: 'echo' | 'sessionId' | 'leaseMs' | 'stats'
  readonly value?: string
}

export async function handler(question: Question): Promise<unknown> {
  switch (question.ask) {
    case 'echo':
      return pool.echo(question.value ?? '')
    case 'sessionId':
      return pool.sessionId()
    case 'leaseMs':
      return pool.leaseMs()
    case 'stats':
      return pool.stats()
  }
}
