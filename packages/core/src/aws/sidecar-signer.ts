/** Tokens from the layer's sidecar, one for all processes and threads of an environment; signed here where it has none. */

import { type Clock, Moment } from '../clock.ts'
import type { Env } from '../env.ts'
import { TOKEN_PATH } from '../sidecar/protocol.ts'
import { type AskLocally, openLocal } from './local-http.ts'
import { SidecarAsk } from './sidecar-ask.ts'
import type { SignedToken, SignToken, TokenAsk } from './token-signer.ts'

export function sidecarSigner(sign: SignToken, clock: Clock, env: Env): SignToken {
  const sidecar = new SidecarAsk(clock, env)
  let askLocally: AskLocally | undefined
  return async (ask) => {
    const token = await sidecar.get(
      async (signal) => {
        askLocally ??= await openLocal(env)
        const signed = new Moment(clock)
        const { status, body } = await askLocally(`${TOKEN_PATH}?${queryOf(ask)}`, signal)
        return { signed, ...tokenIn(status, body) }
      },
      undefined,
      () => false,
    )
    return token ?? sign(ask)
  }
}

/** What a rule of one value cannot say. */
export function sidecarProblems(options: unknown): string[] {
  const { source, credentials } = (options ?? {}) as { source?: unknown; credentials?: unknown }
  if (source !== 'sidecar' || credentials === undefined) return []
  return ["`credentials` cannot be handed to the sidecar: leave them out, or leave out `source: 'sidecar'`"]
}

function queryOf({ service, host, port, user, region, isAdmin }: TokenAsk): string {
  const query = new URLSearchParams({ service, host, port: `${port}`, region })
  if (user !== undefined) query.set('user', user)
  if (isAdmin) query.set('admin', 'true')
  return query.toString()
}

/** The parser's error would quote the answer. */
function tokenIn(status: number, body: string): Pick<SignedToken, 'token' | 'lifeMs'> {
  try {
    const { Token: token, LifeMs: lifeMs } = JSON.parse(body) as { Token?: unknown; LifeMs?: unknown }
    if (status === 200 && typeof token === 'string' && typeof lifeMs === 'number') return { token, lifeMs }
  } catch {
    // Whatever it is, it is no token.
  }
  throw new Error(`the sidecar answered ${status}`)
}
