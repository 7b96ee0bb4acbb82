/** PURE: a statement as it was given, for it may be sent again when the application's objects say something else. */

/** A copy of a list or of a plain object, and of its `values`; anything else as it is. */
export function asGiven(statement: unknown): unknown {
  if (typeof statement !== 'object' || statement === null) return statement
  if (Array.isArray(statement)) return [...(statement as unknown[])]
  // What has a class of its own may have members that no copy has.
  const prototype = Object.getPrototypeOf(statement) as unknown
  if (prototype !== Object.prototype && prototype !== null) return statement
  const { values } = statement as { values?: unknown }
  return values === undefined ? { ...statement } : { ...statement, values: asGiven(values) }
}
