/** A secret from the layer's sidecar, or from Secrets Manager where there is no sidecar that has it. */

import type { Clock } from '../clock.ts'
import type { Env } from '../env.ts'
import { isOfService } from './failure.ts'
import { regionOfArn } from './region.ts'
import type { AskForSecret, SecretPlace } from './secret-reader.ts'
import { extensionPlace } from './secrets-extension.ts'
import { type SecretsManagerAsk, secretsManagerPlace } from './secrets-manager.ts'
import { SidecarAsk } from './sidecar-ask.ts'
import { sidecarProblems } from './sidecar-signer.ts'

/** The sidecar would read another secret of that name, or the function would where the sidecar is not there. */
export function sidecarSecretProblems(secretId: unknown, options: unknown): string[] {
  const { source, region } = (options ?? {}) as { source?: unknown; region?: unknown }
  const problems = sidecarProblems(options)
  const regionOfSecret = typeof secretId === 'string' ? regionOfArn(secretId) : undefined
  if (source === 'sidecar' && region !== undefined && region !== regionOfSecret) {
    problems.push('`region` cannot be handed to the sidecar: name the secret by its ARN')
  }
  return problems
}

export function sidecarPlace(ask: SecretsManagerAsk, env: Env, clock: Clock): SecretPlace {
  const direct = secretsManagerPlace(ask, env)
  return { ...direct, open: () => openBoth(ask.secretId, direct, env, clock) }
}

async function openBoth(
  secretId: string,
  direct: SecretPlace,
  env: Env,
  clock: Clock,
): Promise<AskForSecret> {
  const askSidecar = await extensionPlace(secretId, env).open()
  const sidecar = new SidecarAsk(clock, env)
  let askDirectly: AskForSecret | undefined
  return async (asked) => {
    const text = await sidecar.get((signal) => askSidecar({ ...asked, signal }), asked.signal, isOfService)
    if (text !== undefined) return text
    askDirectly ??= await direct.open()
    return askDirectly(asked)
  }
}
