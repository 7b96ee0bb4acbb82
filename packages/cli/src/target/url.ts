/** Parts of a connection URL, by the names that options have. */

const MEMBERS = {
  host: 'hostname',
  port: 'port',
  user: 'username',
  password: 'password',
  database: 'pathname',
} as const

type Part = keyof typeof MEMBERS

function isPart(name: string): name is Part {
  return Object.hasOwn(MEMBERS, name)
}

/** Whether `url` itself says what the option `name` would. */
export function carries(url: string, name: string): boolean {
  return isPart(name) && !['', '/'].includes(new URL(url)[MEMBERS[name]])
}

/** `url` with other parts. */
export function withParts(url: string, parts: Readonly<Partial<Record<Part, string>>>): string {
  const changed = new URL(url)
  for (const [name, value] of Object.entries(parts)) {
    if (isPart(name)) changed[MEMBERS[name]] = name === 'database' ? `/${value}` : value
  }
  return changed.href
}
