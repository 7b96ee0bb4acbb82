/** Sinks on a manual clock, and a fake CloudWatch behind the real AWS SDK. */

import { afterAll, beforeEach } from 'vitest'

import { FakeCloudWatch } from '../../../../test/aws/cloudwatch.ts'
import { cloudWatch, type CloudWatchOptions } from '../../src/aws/index.ts'
import type { MetricDimensions, MetricsSink } from '../../src/metrics.ts'
import { type AwsScene, setAwsScene } from './scene.ts'

export const SHOP: MetricDimensions = { Fleet: 'shop', Engine: 'postgresql', Target: 'db.example:5432' }

export interface SinkScene extends AwsScene {
  readonly sink: MetricsSink
}

export interface SinkScenes {
  readonly service: FakeCloudWatch
  open(options?: Partial<CloudWatchOptions>): SinkScene
}

/** A new server before each test of the file. */
export function sinkScenes(): SinkScenes {
  let service: FakeCloudWatch | undefined
  const running: FakeCloudWatch[] = []
  beforeEach(async () => {
    service = await FakeCloudWatch.start()
    running.push(service)
  })
  afterAll(async () => {
    for (const one of running) await one.stop()
  })
  return {
    get service() {
      if (service === undefined) throw new Error('not started')
      return service
    },
    open(options = {}) {
      const scene = setAwsScene()
      const { endpoint } = this.service
      return { ...scene, sink: cloudWatch({ namespace: 'Shop', endpoint, ...options }, scene) }
    },
  }
}
