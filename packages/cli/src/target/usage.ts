/** What the person who called can mend by calling otherwise: told in a line or two, exit code 2, no stack. */

export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}
