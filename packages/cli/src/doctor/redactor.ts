/** The last gate before anything is printed: what is known to be secret does not pass it, wherever it came from. */

import type { Credential, CredentialSource } from '@leasehold/core'

const HIDDEN = '(hidden)'

export class Redactor {
  readonly #secrets = new Set<string>()

  knows(secret: string | undefined): void {
    if (secret === undefined || secret === '') return
    for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
      this.#secrets.add(form)
    }
    const signature = /X-Amz-Signature=([0-9a-f]+)/.exec(secret)?.[1]
    if (signature !== undefined) this.#secrets.add(signature)
  }

  /** Like `source`, and whatever it gives is known. */
  knowing(source: CredentialSource): CredentialSource {
    return {
      isClearText: source.isClearText,
      get: async (request): Promise<Credential | undefined> => {
        const credential = await source.get(request)
        this.knows(credential?.password)
        return credential
      },
    }
  }

  /** The longest first: one secret may begin another. */
  clean(text: string): string {
    let rest = text
    for (const secret of [...this.#secrets].toSorted((one, other) => other.length - one.length)) {
      rest = rest.replaceAll(secret, HIDDEN)
    }
    return rest
  }
}
