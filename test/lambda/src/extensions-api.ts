// The Extensions API: who may register for what and until when, and the events they wait for.

import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'

import { header, reply, replyWithError, type ApiCall, type Routes } from './api-server.ts'
import { accountId, type FunctionIdentity } from './environment-variables.ts'
import { SandboxError } from './errors.ts'

export type ExtensionEvent = 'INVOKE' | 'SHUTDOWN'

const maxExtensions = 10

/** One registered extension and what it is waiting for. */
export class Extension {
  readonly id: string = randomUUID()
  readonly name: string
  readonly isExternal: boolean
  readonly events: ReadonlySet<string>
  #waiting: ServerResponse | undefined
  #undelivered: object | undefined
  #hasCalledNext = false

  constructor(name: string, isExternal: boolean, events: ReadonlySet<string>) {
    this.name = name
    this.isExternal = isExternal
    this.events = events
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  /** Init can't end before this is true of every extension. */
  get hasCalledNext(): boolean {
    return this.#hasCalledNext
  }

  wait(response: ServerResponse): void {
    this.#hasCalledNext = true
    this.#waiting = response
    response.once('close', () => {
      if (this.#waiting === response) this.#waiting = undefined
    })
    const event = this.#undelivered
    this.#undelivered = undefined
    if (event !== undefined) this.deliver(event)
  }

  /** Answers the waiting `/event/next`, or the next one there is. */
  deliver(event: object): void {
    const response = this.#waiting
    this.#waiting = undefined
    if (response === undefined) this.#undelivered = event
    else reply(response, 200, event, { 'lambda-extension-event-identifier': randomUUID() })
  }
}

export interface ExtensionRegistryOptions {
  readonly identity: FunctionIdentity
  /** File names of the external extensions that were started. */
  readonly externalNames: readonly string[]
  /** Managed Instances have no INVOKE event, and internal extensions may register for none at all. */
  readonly isManaged: boolean
  /** Somebody registered or called `/event/next`. */
  readonly onChange: () => void
  readonly onFailure: (error: SandboxError) => void
}

export class ExtensionRegistry {
  readonly #options: ExtensionRegistryOptions
  readonly #byId = new Map<string, Extension>()
  #isOpen = true

  constructor(options: ExtensionRegistryOptions) {
    this.#options = options
  }

  readonly routes: Routes = {
    'POST /2020-01-01/extension/register': (call) => this.#register(call),
    'GET /2020-01-01/extension/event/next': (call) => this.#next(call),
    'POST /2020-01-01/extension/init/error': (call) => this.#reportError(call, 'Extension.InitError'),
    'POST /2020-01-01/extension/exit/error': (call) => this.#reportError(call, 'Extension.ExitError'),
  }

  get registered(): readonly Extension[] {
    return [...this.#byId.values()]
  }

  byName(name: string): Extension | undefined {
    return this.registered.find((extension) => extension.name === name)
  }

  /** At the runtime's first `/next`. */
  closeRegistration(): void {
    this.#isOpen = false
  }

  get allHaveCalledNext(): boolean {
    for (const extension of this.#byId.values()) if (!extension.hasCalledNext) return false
    return true
  }

  /** Whether nobody subscribed to INVOKE is still at work. The others were never given any. */
  get allWait(): boolean {
    for (const extension of this.#byId.values()) {
      if (extension.events.has('INVOKE') && !extension.isWaiting) return false
    }
    return true
  }

  deliver(event: ExtensionEvent, body: object): void {
    for (const extension of this.#byId.values()) {
      if (extension.events.has(event)) extension.deliver({ eventType: event, ...body })
    }
  }

  #register({ request, response, body }: ApiCall): void {
    const forbid = (type: string, message: string): void =>
      replyWithError(response, 403, `Extension.${type}`, message)
    const name = header(request, 'lambda-extension-name')
    if (!name) return forbid('InvalidExtensionName', 'Empty extension name')
    if (!this.#isOpen) return forbid('RegistrationClosed', 'Extension registration closed already')
    if (this.byName(name) !== undefined) {
      return forbid('InvalidExtensionState', `Extension ${name} is registered already`)
    }
    const events = parseEvents(body)
    if (events === undefined) {
      return replyWithError(response, 400, 'InvalidRequestFormat', 'The body must be {"events":[…]}')
    }
    const isExternal = this.#options.externalNames.includes(name)
    const problem = this.#findProblem(events, isExternal)
    if (problem !== undefined) return forbid('InvalidEventType', problem)
    if (this.#byId.size >= maxExtensions) return forbid('TooManyExtensions', 'Extension limit (10) reached')
    const extension = new Extension(name, isExternal, events)
    this.#byId.set(extension.id, extension)
    const { name: functionName, handler } = this.#options.identity
    const wantsAccount = header(request, 'lambda-extension-accept-feature')?.includes('accountId') === true
    reply(
      response,
      200,
      { functionName, functionVersion: '$LATEST', handler, ...(wantsAccount ? { accountId } : {}) },
      { 'lambda-extension-identifier': extension.id },
    )
    this.#options.onChange()
  }

  #findProblem(events: ReadonlySet<string>, isExternal: boolean): string | undefined {
    const { isManaged } = this.#options
    for (const event of events) {
      if (event !== 'INVOKE' && event !== 'SHUTDOWN') return `${event}: no such event`
      if (isManaged && !isExternal) return 'No events allowed for internal extensions'
      if (isManaged && event === 'INVOKE') return 'INVOKE: no such event on Managed Instances'
      if (event === 'SHUTDOWN' && !isExternal) return 'ShutdownEventNotSupportedForInternalExtension'
    }
    return undefined
  }

  #next(call: ApiCall): void {
    const extension = this.#identify(call)
    if (extension === undefined) return
    extension.wait(call.response)
    this.#options.onChange()
  }

  #reportError(call: ApiCall, defaultType: string): void {
    const extension = this.#identify(call)
    if (extension === undefined) return
    const { request, response, body } = call
    const type = header(request, 'lambda-extension-function-error-type')
    if (!type) {
      const message = 'Missing Lambda-Extension-Function-Error-Type header'
      return replyWithError(response, 403, 'Extension.MissingHeader', message)
    }
    reply(response, 202, { status: 'OK' })
    const message = `extension ${extension.name}: ${body.toString('utf8') || 'no message'}`
    this.#options.onFailure(new SandboxError(type || defaultType, message))
  }

  #identify({ request, response }: ApiCall): Extension | undefined {
    const id = header(request, 'lambda-extension-identifier')
    const extension = id === undefined ? undefined : this.#byId.get(id)
    if (id === undefined) {
      replyWithError(response, 403, 'Extension.MissingHeader', 'Missing Lambda-Extension-Identifier header')
    } else if (extension === undefined) {
      replyWithError(response, 403, 'Extension.UnknownExtensionIdentifier', `Unknown extension ${id}`)
    }
    return extension
  }
}

function parseEvents(body: Buffer): ReadonlySet<string> | undefined {
  if (body.length === 0) return new Set()
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'))
    if (typeof parsed !== 'object' || parsed === null) return undefined
    const events: unknown = 'events' in parsed ? parsed.events : []
    return Array.isArray(events) ? new Set(events.map(String)) : undefined
  } catch {
    return undefined
  }
}
