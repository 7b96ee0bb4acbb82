// The fake and the emulator behind one face, so that the same cases run on both: where they disagree, one of
// them is not Secrets Manager.
import { randomUUID } from 'node:crypto'

import { describe, it } from 'vitest'

import { EMULATOR_REMEDY, findEmulator, startEmulator } from './emulator.ts'
import { FakeSecretsManager } from './secrets-manager.ts'

/** What an operator and a rotation do to secrets. */
export interface SecretStore {
  readonly endpoint: string
  /** A new secret; resolves to its ARN. */
  create(name: string, value: string | object, isBinary?: boolean): Promise<string>
  /** A new version, AWSCURRENT at once. */
  replace(name: string, value: string | object): Promise<void>
  /** A rotation's first step: a version that nobody uses yet. */
  createPending(name: string, value: string | object): Promise<void>
  /** A rotation's last step: AWSCURRENT moves to the pending version, which keeps AWSPENDING too. */
  finishRotation(name: string): Promise<void>
  delete(name: string): Promise<void>
  dispose(): Promise<void>
}

/** Anybody's: neither of the two verifies a signature. */
export const IDENTITY: { readonly accessKeyId: string; readonly secretAccessKey: string } = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'of no use to anybody',
}
export const REGION = 'eu-west-1'

const ANSWER_WITHIN_MS = 10_000

/**
 * Describes the same cases for each store. Where the emulator is missing, its half is reported as skipped,
 * with the remedy; it fails instead where `LEASEHOLD_REQUIRE` (names, separated by commas) has `AWS emulator`.
 */
export function onEverySecretStore(
  what: string,
  describeCases: (start: () => Promise<SecretStore>) => void,
): void {
  describe(`${what}, on the fake`, () => describeCases(startFakeStore))
  describeWithEmulator(`${what}, on the emulator`, () => describeCases(startEmulatedStore))
}

/** As above, for what only the emulator has. */
export function describeWithEmulator(what: string, describeCases: () => void): void {
  const isRequired = (process.env['LEASEHOLD_REQUIRE'] ?? '').split(',').includes('AWS emulator')
  if (findEmulator() !== undefined || isRequired) {
    describe(what, describeCases)
    return
  }
  describe.skipIf(true)(`${what}, which is not on this machine: ${EMULATOR_REMEDY}`, () => {
    it('runs', () => {})
  })
}

async function startFakeStore(): Promise<SecretStore> {
  const fake = await FakeSecretsManager.start()
  return {
    endpoint: fake.endpoint,
    create: async (name, value, isBinary) => fake.put(name, value, isBinary),
    replace: async (name, value) => void fake.put(name, value),
    createPending: async (name, value) => fake.createPending(name, value),
    finishRotation: async (name) => fake.finishRotation(name),
    delete: async (name) => fake.delete(name),
    dispose: () => fake.stop(),
  }
}

async function startEmulatedStore(): Promise<SecretStore> {
  const { endpoint, dispose } = await startEmulator()
  const ask = async (operation: string, name: string, input: object): Promise<void> => {
    const { status, body } = await askFor(endpoint, operation, { SecretId: name, ...input })
    if (status !== 200) throw new Error(`${operation}: ${status} ${body.__type ?? ''} ${body.message ?? ''}`)
  }
  const versionAt = async (name: string, stage: string): Promise<string> => {
    const { body } = await askFor(endpoint, 'GetSecretValue', { SecretId: name, VersionStage: stage })
    if (body.VersionId === undefined) throw new Error(`${name} has no version at ${stage}`)
    return body.VersionId
  }
  return {
    endpoint,
    create: async (name, value, isBinary = false) => {
      const text = textOf(value)
      const content = isBinary
        ? { SecretBinary: Buffer.from(text).toString('base64') }
        : { SecretString: text }
      const input = { Name: name, ClientRequestToken: randomUUID(), ...content }
      const { status, body } = await askFor(endpoint, 'CreateSecret', input)
      if (body.ARN === undefined) throw new Error(`CreateSecret: ${status} ${body.message ?? ''}`)
      return body.ARN
    },
    replace: (name, value) => ask('PutSecretValue', name, putting(value)),
    createPending: (name, value) =>
      ask('PutSecretValue', name, { ...putting(value), VersionStages: ['AWSPENDING'] }),
    finishRotation: async (name) =>
      ask('UpdateSecretVersionStage', name, {
        VersionStage: 'AWSCURRENT',
        RemoveFromVersionId: await versionAt(name, 'AWSCURRENT'),
        MoveToVersionId: await versionAt(name, 'AWSPENDING'),
      }),
    delete: (name) => ask('DeleteSecret', name, {}),
    dispose,
  }
}

/** The members of all answers that are of interest here. */
export interface Answer {
  readonly ARN?: string
  readonly Name?: string
  readonly VersionId?: string
  readonly VersionStages?: readonly string[]
  readonly CreatedDate?: number
  readonly SecretString?: string
  readonly SecretBinary?: string
  readonly __type?: string
  readonly message?: string
}

/** The bare protocol, without the SDK that the product asks by. */
export async function askFor(
  endpoint: string,
  operation: string,
  input: object,
): Promise<{ readonly status: number; readonly body: Answer }> {
  const scope = `${IDENTITY.accessKeyId}/20260101/${REGION}/secretsmanager/aws4_request`
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `secretsmanager.${operation}`,
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(input),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  })
  return { status: answer.status, body: (await answer.json()) as Answer }
}

function putting(value: string | object): object {
  return { SecretString: textOf(value), ClientRequestToken: randomUUID() }
}

function textOf(value: string | object): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
