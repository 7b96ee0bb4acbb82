/** `clean()` with a plugin: the ancestor's three steps, its count kept for a while, and no more ended than it takes. */

import { log } from 'node:console'

import { Moment, systemClock } from '@leasehold/core'

import type { ServerlessClient } from './client.ts'
import type { CleanSettings } from './config.ts'
import type { ServerlessPlugin } from './plugin.ts'

/** The ancestor's guess, where neither option nor plugin says how many slots there are. */
const DEFAULT_MAX = 100

interface Known {
  readonly value: number
  readonly at: Moment
}

export class PluginCleaner {
  readonly #plugin: ServerlessPlugin
  #max: Known | undefined
  #count: Known | undefined

  constructor(plugin: ServerlessPlugin) {
    this.#plugin = plugin
  }

  /** @param self holds its session for the plugin's statements alone */
  async clean(self: ServerlessClient, settings: CleanSettings): Promise<object[] | undefined> {
    try {
      const max = await this.#maxOf(self, settings)
      const count = await this.#countOf(self, settings)
      const excess = count - Math.floor(max * settings.utilization)
      if (excess <= 0) return undefined
      const { rows } =
        settings.strategy === 'ranked'
          ? await this.#plugin.getIdleProcessesListOrderByDate(self)
          : await this.#plugin.getIdleProcessesListByMinimumTimeout(self)
      const pids = rows.slice(0, Math.min(excess, settings.mostToEnd ?? excess)).map(({ pid }) => pid)
      if (pids.length === 0) return undefined
      const ended = await this.#plugin.killProcesses(self, pids)
      this.#count = { value: count - ended.rows.length, at: this.#count?.at ?? new Moment(systemClock) }
      if (settings.debug) log(`leasehold: ${ended.rows.length} idle sessions ended`)
      return [...ended.rows]
    } catch {
      // Cleaning is not the request's business; leases end idle sessions without it.
      if (settings.debug) log('leasehold: the plugin failed, nothing was ended')
      return undefined
    }
  }

  async #maxOf(self: ServerlessClient, settings: CleanSettings): Promise<number> {
    if (!settings.asksForMax) return settings.maxConnections ?? DEFAULT_MAX
    if (isOld(this.#max, settings.maxFreqMs)) {
      const { rows } = await this.#plugin.showMaxConnections(self)
      this.#max = { value: Number(rows[0]?.max_connections), at: new Moment(systemClock) }
    }
    return this.#max?.value ?? DEFAULT_MAX
  }

  async #countOf(self: ServerlessClient, settings: CleanSettings): Promise<number> {
    if (isOld(this.#count, settings.countFreqMs)) {
      const { rows } = await this.#plugin.processCount(self)
      this.#count = { value: Number(rows[0]?.count), at: new Moment(systemClock) }
    }
    return this.#count?.value ?? 0
  }
}

function isOld(known: Known | undefined, lifeMs: number): boolean {
  return known === undefined || known.at.elapsedMs(systemClock) >= lifeMs
}
