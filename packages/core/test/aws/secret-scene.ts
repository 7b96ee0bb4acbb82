/** A fake Secrets Manager, and sources that read it through the real AWS SDK. */

import { afterAll, beforeEach } from 'vitest'

import { FakeSecretsManager } from '../../../../test/aws/secrets-manager.ts'
import { secret, type SecretOptions, type SecretSource } from '../../src/aws/index.ts'
import { type AwsScene, drive, request, setAwsScene } from './scene.ts'

export const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf'

export interface SecretScene extends AwsScene {
  readonly source: SecretSource
  /** User and password of what the source gives first. */
  given(): Promise<[string | undefined, string]>
}

export interface Scenes {
  readonly manager: FakeSecretsManager
  open(options?: SecretOptions, id?: string): SecretScene
}

/** A new server before each test of the file. */
export function secretScenes(): Scenes {
  let manager: FakeSecretsManager | undefined
  const running: FakeSecretsManager[] = []
  beforeEach(async () => {
    manager = await FakeSecretsManager.start()
    running.push(manager)
  })
  afterAll(async () => {
    for (const one of running) await one.stop()
  })
  return {
    get manager() {
      if (manager === undefined) throw new Error('not started')
      return manager
    },
    open(options = {}, id = ARN) {
      const scene = setAwsScene()
      const port = new URL(this.manager.endpoint).port
      scene.env['PARAMETERS_SECRETS_EXTENSION_HTTP_PORT'] = port
      const isExtension = options.source === 'extension'
      const source = secret(
        id,
        isExtension ? options : { endpoint: this.manager.endpoint, ...options },
        scene,
      )
      return {
        ...scene,
        source,
        async given() {
          const credential = await drive(scene.clock, source.get(request()))
          return [credential?.user, credential?.password ?? '']
        },
      }
    },
  }
}
