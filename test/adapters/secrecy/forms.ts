// The shapes in which a secret may turn up: as it is, escaped, or encoded by itself or within something else.
import { inspect } from 'node:util'

/** Every text that gives `secret` away, without repetition. */
export function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const forms = [
    secret,
    encodeURIComponent(secret),
    encodeURI(secret),
    new URLSearchParams({ '': secret }).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    // Printed within JSON that is itself printed.
    JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    inspect(secret).slice(1, -1),
    ...[0, 1, 2].flatMap((offset) => base64At(bytes, offset)),
    hex,
    // As a buffer prints itself.
    (hex.match(/../g) ?? []).join(' '),
  ]
  return [...new Set(forms)]
}

/** Within a longer text a secret begins at any of three places of base64, and shares characters at its ends. */
function base64At(bytes: Buffer, offset: number): readonly string[] {
  const shifted = Buffer.concat([Buffer.alloc(offset), bytes])
  const whole = shifted.subarray(0, shifted.length - (shifted.length % 3))
  const sharedCount = offset === 0 ? 0 : 4
  return [whole.toString('base64').slice(sharedCount), whole.toString('base64url').slice(sharedCount)]
}
