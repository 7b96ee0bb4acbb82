/** The drivers' classes by their members: names of properties stay when a bundle is minified, those of classes do not. */

/** What attachment governs, as reports call it. */
export type Kind = 'pg.Pool' | 'pg.Client' | 'mysql2 pool' | 'mysql2 connection'

const SHAPES: Readonly<Record<Kind, readonly string[]>> = {
  'pg.Pool': [
    'connect',
    'query',
    'newClient',
    '_pulseQueue',
    '_acquireClient',
    '_release',
    '_remove',
    '_isFull',
  ],
  'pg.Client': ['connect', 'query', 'end', '_handleReadyForQuery', '_pulseQueryQueue', '_errorAllQueries'],
  'mysql2 pool': ['getConnection', 'query', 'execute', 'releaseConnection', '_removeConnection'],
  'mysql2 connection': [
    'addCommand',
    'handlePacket',
    '_handleNetworkError',
    '_addCommandClosedState',
    '_notifyError',
  ],
}

export interface Found {
  readonly kind: Kind
  /** Of the class that has all of these members itself: others may extend it. */
  readonly prototype: Record<string, unknown>
}

/** The driver's class that `prototype` is, or extends; undefined where it is none of them. */
export function findShape(prototype: object): Found | undefined {
  for (let own: object | null = prototype; own !== null; own = Object.getPrototypeOf(own) as object | null) {
    const members = own as Record<string, unknown>
    for (const [kind, names] of Object.entries(SHAPES) as [Kind, readonly string[]][]) {
      if (names.every((name) => Object.hasOwn(members, name))) return { kind, prototype: members }
    }
  }
  return undefined
}
