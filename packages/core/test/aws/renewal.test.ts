import { describe, expect, it } from 'vitest'

import { rejectionOf } from '../scene.ts'
import { drive, logIn, request } from './scene.ts'
import { ARN, secretScenes } from './secret-scene.ts'

const scenes = secretScenes()

const of = (password: string): object => ({ username: 'app', password })

describe('a renewal', () => {
  it('for all who are refused at the same time, in vain, is one', async () => {
    scenes.manager.put(ARN, of('wrong'))
    const { clock, source } = scenes.open()
    // As many pools with one source have it: of one server, and one database each.
    const all = Promise.all(Array.from({ length: 20 }, () => logIn(source, () => false)))
    const logIns = await drive(clock, all)
    expect(logIns.every(({ credential }) => credential === undefined)).toBe(true)
    expect(scenes.manager.requestCount).toBe(1 + 3)
  })

  it('that failed is told as that until the next, and the server has the last word after it', async () => {
    scenes.manager.put(ARN, of('p1'))
    const { clock, source } = scenes.open()
    const old = await source.get(request())
    const refusal = request({ refusals: 1, refused: old === undefined ? [] : [old] })
    scenes.manager.always({ kind: 'unavailable' })
    for (let time = 0; time < 2; time += 1) await drive(clock, rejectionOf(source.get(refusal)))
    const { requestCount } = scenes.manager
    const error = await drive(clock, rejectionOf(source.get(refusal)))
    expect(error).toMatchObject({ code: 'CREDENTIALS_UNAVAILABLE' })
    expect(scenes.manager.requestCount).toBe(requestCount)
    scenes.manager.always(undefined)
    scenes.manager.put(ARN, of('p2'))
    await clock.advance(4_000)
    expect(await drive(clock, source.get(refusal))).toMatchObject({ password: 'p2' })
    for (let time = 0; time < 3; time += 1) {
      const result = await drive(
        clock,
        logIn(source, () => false),
      )
      expect(result.credential).toBeUndefined()
    }
  })
})
