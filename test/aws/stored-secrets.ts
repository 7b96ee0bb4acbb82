/** What Secrets Manager keeps: secrets with their versions, and which version each staging label is at. */

interface Version {
  readonly id: string
  readonly text: string
  readonly isBinary: boolean
  readonly createdEpochMs: number
}

interface Stored {
  readonly arn: string
  readonly name: string
  readonly versions: Version[]
  readonly stages: Map<string, string>
  isDeleted: boolean
}

export interface SecretVersion {
  readonly ARN: string
  readonly Name: string
  readonly VersionId: string
  readonly VersionStages: readonly string[]
  /** In seconds, as the protocol has them. */
  readonly CreatedDate: number
  readonly SecretString?: string
  readonly SecretBinary?: string
}

export interface Refusal {
  readonly name: 'InvalidRequestException' | 'ResourceNotFoundException'
  readonly message: string
}

/** For secrets that are stored by a name. */
const ARN_PREFIX = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:'
const ARN_SUFFIX = '-AbCdEf'
const ARN_FORM = /^arn:[^:]+:secretsmanager:[^:]+:\d+:secret:(.+)-[A-Za-z0-9]{6}$/

export class StoredSecrets {
  readonly #secrets: Stored[] = []
  #versionCount = 0

  /** Stores a version as AWSCURRENT; the one before becomes AWSPREVIOUS. Returns the secret's ARN. */
  put(secretId: string, value: string | object, isBinary = false): string {
    const stored = this.#findOrCreate(secretId)
    moveCurrent(stored, this.#add(stored, value, isBinary))
    return stored.arn
  }

  /** A rotation's first step: a version that nobody uses yet. */
  createPending(secretId: string, value: string | object): void {
    const stored = this.#findOrCreate(secretId)
    stored.stages.set('AWSPENDING', this.#add(stored, value, false))
  }

  /** A rotation's last step. The version keeps AWSPENDING too, unless it is taken off. */
  finishRotation(secretId: string, keepsPending = true): void {
    const stored = this.#findOrCreate(secretId)
    const pending = stored.stages.get('AWSPENDING')
    if (pending === undefined) throw new Error('nothing is pending')
    moveCurrent(stored, pending)
    if (!keepsPending) stored.stages.delete('AWSPENDING')
  }

  /** Schedules the secret for deletion: it is there, and cannot be read. */
  delete(secretId: string): void {
    this.#findOrCreate(secretId).isDeleted = true
  }

  read(secretId: string, versionStage: string): SecretVersion | Refusal {
    const stored = this.#find(secretId)
    if (stored === undefined) return notFound("Secrets Manager can't find the specified secret.")
    if (stored.isDeleted) {
      const message = "You can't perform this operation on the secret because it was marked for deletion."
      return { name: 'InvalidRequestException', message }
    }
    const { arn, name, versions, stages } = stored
    const id = stages.get(versionStage)
    const version = versions.find((other) => other.id === id)
    if (version === undefined) {
      const what = `secret value for staging label: ${versionStage}`
      return notFound(`Secrets Manager can't find the specified ${what}`)
    }
    return {
      ARN: arn,
      Name: name,
      VersionId: version.id,
      VersionStages: [...stages].flatMap(([stage, of]) => (of === version.id ? [stage] : [])),
      CreatedDate: version.createdEpochMs / 1000,
      ...(version.isBinary
        ? { SecretBinary: Buffer.from(version.text).toString('base64') }
        : { SecretString: version.text }),
    }
  }

  /** By ARN, by name, or by an ARN without the six characters at its end. */
  #find(secretId: string): Stored | undefined {
    return this.#secrets.find(
      ({ arn, name }) =>
        arn === secretId || name === secretId || arn.slice(0, -ARN_SUFFIX.length) === secretId,
    )
  }

  #findOrCreate(secretId: string): Stored {
    const found = this.#find(secretId)
    if (found !== undefined) return found
    const name = ARN_FORM.exec(secretId)?.[1]
    const stored: Stored = {
      arn: name === undefined ? `${ARN_PREFIX}${secretId}${ARN_SUFFIX}` : secretId,
      name: name ?? secretId,
      versions: [],
      stages: new Map(),
      isDeleted: false,
    }
    this.#secrets.push(stored)
    return stored
  }

  #add(stored: Stored, value: string | object, isBinary: boolean): string {
    this.#versionCount += 1
    const id = `00000000-0000-4000-8000-${String(this.#versionCount).padStart(12, '0')}`
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    stored.versions.push({ id, text, isBinary, createdEpochMs: Date.now() })
    return id
  }
}

function moveCurrent({ stages }: Stored, id: string): void {
  const before = stages.get('AWSCURRENT')
  if (before === id) return
  if (before !== undefined) stages.set('AWSPREVIOUS', before)
  stages.set('AWSCURRENT', id)
}

function notFound(message: string): Refusal {
  return { name: 'ResourceNotFoundException', message }
}
