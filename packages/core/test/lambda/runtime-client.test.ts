import { createRequire } from 'node:module'

import { afterEach, describe, expect, it } from 'vitest'

import { RuntimeClient, type RuntimeListener } from '../../src/lambda/runtime-client.ts'

const { cache } = createRequire(import.meta.url)
const FILE = '/var/runtime/rapid-client.node'

afterEach(() => {
  delete cache[FILE]
})

/** Stands for the native part of AWS's client, in the place where Node keeps it. */
function loadNative(...requestIds: string[]): { next: () => Promise<unknown>; asked: number } {
  const native = {
    asked: 0,
    next: (): Promise<unknown> => {
      native.asked += 1
      const requestId = requestIds.shift()
      const headers = { 'lambda-runtime-aws-request-id': requestId, 'lambda-runtime-deadline-ms': 4_000 }
      return requestId === undefined ? new Promise(() => {}) : Promise.resolve({ headers, bodyJson: '{}' })
    },
  }
  cache[FILE] = { exports: native } as NodeJS.Module
  return native
}

class Heard implements RuntimeListener {
  readonly heard: string[] = []

  begun(requestId: string, deadlineEpochMs: number): void {
    this.heard.push(`${requestId} until ${deadlineEpochMs}`)
  }

  over(requestId: string): void {
    this.heard.push(`${requestId} over`)
  }
}

describe("AWS's runtime client, seen from inside", () => {
  it('is not there in another process', () => {
    expect(RuntimeClient.find()).toBeUndefined()
  })

  it('is not touched where it has another shape', () => {
    cache[FILE] = { exports: { ask: () => {} } } as unknown as NodeJS.Module
    expect(RuntimeClient.find()).toBeUndefined()
  })

  it('is found when it loads, where nobody had loaded it yet', () => {
    const { dlopen } = process
    const loaded: string[] = []
    process.dlopen = (module, file) => {
      loaded.push(file)
      ;(module as { exports: unknown }).exports = file === FILE ? loadNative() : {}
    }
    try {
      const found: RuntimeClient[] = []
      RuntimeClient.whenLoaded((client) => found.push(client))
      process.dlopen({ exports: {} }, '/var/task/other.node')
      expect(found).toHaveLength(0)
      process.dlopen({ exports: {} }, FILE)
      expect(found).toHaveLength(1)
      expect(loaded).toEqual(['/var/task/other.node', FILE])
    } finally {
      process.dlopen = dlopen
    }
  })

  it('tells the beginning, the time and the end of every invocation', async () => {
    const native = loadNative('one', 'two')
    const listener = new Heard()
    const client = RuntimeClient.find()
    client?.listen(listener, Promise.resolve())
    await native.next()
    expect(listener.heard).toEqual(['one until 4000'])
    expect(client?.isOver('one')).toBe(false)
    const second = native.next()
    expect(listener.heard).toEqual(['one until 4000', 'one over'])
    expect([client?.isOver('one'), client?.isOver('two')]).toEqual([true, false])
    await second
    expect(client?.isOver('two')).toBe(false)
    void native.next()
    expect(listener.heard).toEqual(['one until 4000', 'one over', 'two until 4000', 'two over'])
  })

  it('waits for no end of an invocation that another client asked for', () => {
    loadNative()
    const client = RuntimeClient.find()
    client?.listen(new Heard(), Promise.resolve())
    expect(client?.isOver('one')).toBe(true)
  })

  it('asks for its first event only when all is ready, and gives the event on as it is', async () => {
    const native = loadNative('one')
    const { promise: ready, resolve } = Promise.withResolvers<void>()
    RuntimeClient.find()?.listen(new Heard(), ready)
    const first = native.next()
    await Promise.resolve()
    expect(native.asked).toBe(0)
    resolve()
    expect(await first).toMatchObject({ bodyJson: '{}' })
    expect(native.asked).toBe(1)
  })

  it('is not touched where its function can’t be replaced', () => {
    const native = Object.freeze({ next: () => Promise.resolve() })
    cache[FILE] = { exports: native } as unknown as NodeJS.Module
    expect(RuntimeClient.find()).toBeUndefined()
  })

  /** Past the first question, which waits. */
  async function wrapped(next: (...given: unknown[]) => unknown): Promise<{ next: typeof next }> {
    const native: { next: typeof next } = { next: () => Promise.resolve({}) }
    const inner = { current: native.next }
    native.next = function (this: unknown, ...given: unknown[]) {
      return Reflect.apply(inner.current, this, given)
    }
    cache[FILE] = { exports: native } as unknown as NodeJS.Module
    RuntimeClient.find()?.listen(new Heard(), Promise.resolve())
    await native.next()
    inner.current = next
    return native
  }

  it('gives the client’s own promise, with what it was asked and by whom', async () => {
    const answer = Promise.resolve({ headers: {} })
    const asked: unknown[] = []
    const native = await wrapped(function (this: unknown, ...given: unknown[]) {
      asked.push(this, ...given)
      return answer
    })
    expect(native.next(1, 2)).toBe(answer)
    expect(asked).toEqual([native, 1, 2])
  })

  it.each([undefined, null, {}, { headers: null }])('gives on an event that is %j', async (event) => {
    const native = await wrapped(() => Promise.resolve(event))
    expect(await native.next()).toBe(event)
    const plain = await wrapped(() => event)
    expect(plain.next()).toBe(event)
  })

  it('gives on what the client rejects and throws', async () => {
    const error = new Error('Failed to get next invocation')
    const rejecting = await wrapped(() => Promise.reject(error))
    await expect(rejecting.next()).rejects.toBe(error)
    const throwing = await wrapped(() => {
      throw error
    })
    expect(() => throwing.next()).toThrow(error)
  })

  it('goes on where the listener fails', async () => {
    const native = loadNative('one', 'two')
    const fail = (): never => {
      throw new Error('ours')
    }
    RuntimeClient.find()?.listen({ begun: fail, over: fail }, Promise.resolve())
    await native.next()
    expect(await native.next()).toMatchObject({ bodyJson: '{}' })
  })

  it('asks once where two wrap it one after another', async () => {
    const native = loadNative('one', 'two')
    const heard = [new Heard(), new Heard()]
    for (const listener of heard) RuntimeClient.find()?.listen(listener, Promise.resolve())
    await native.next()
    await native.next()
    expect(native.asked).toBe(2)
    for (const { heard: words } of heard) {
      expect(words).toEqual(['one until 4000', 'one over', 'two until 4000'])
    }
  })
})
