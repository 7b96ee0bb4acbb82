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
})
