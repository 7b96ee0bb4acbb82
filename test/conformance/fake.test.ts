import { fakeSubject } from './fake.ts'
import { conformance } from './suite.ts'

conformance('The in-memory engine', async () => fakeSubject())
