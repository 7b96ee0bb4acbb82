import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** Tests run on the sources, so that they need no build. */
const conditions = ['@leasehold/source', 'node']
const source = { resolve: { conditions }, ssr: { resolve: { conditions } } }

/** Suites that start servers or processes, in real time. */
const withServers = { testTimeout: 60_000, hookTimeout: 240_000 }
/** Of these, what mostly waits: each file has servers of its own, so two run at a time. */
const inPairs = { ...withServers, fileParallelism: true, maxWorkers: 2, sequence: { groupOrder: 1 } }
/** And what keeps the whole machine busy, or measures: one file at a time. */
const oneByOne = { ...withServers, fileParallelism: false, sequence: { groupOrder: 2 } }

const config: ViteUserConfig = defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        ...source,
        test: {
          name: 'unit',
          include: ['packages/*/test/**/*.test.ts', 'test/docs/**/*.test.ts'],
          // What starts processes, draws charts or loads CDK takes longer than all the others together.
          exclude: [
            'packages/cdk/**',
            'packages/core/test/aws/loading.test.ts',
            'test/docs/benchmarks.test.ts',
            'test/docs/dashboard.test.ts',
          ],
          // Unit tests share nothing, so they need not be kept apart: half the time.
          isolate: false,
        },
      },
      {
        ...source,
        test: { name: 'databases', include: ['test/databases/test/**/*.test.ts'], ...inPairs },
      },
      { ...source, test: { name: 'lambda', include: ['test/lambda/test/**/*.test.ts'], ...inPairs } },
      { ...source, test: { name: 'conformance', include: ['test/conformance/**/*.test.ts'], ...inPairs } },
      {
        ...source,
        test: {
          name: 'adapters',
          include: ['test/adapters/**/*.test.ts'],
          exclude: ['test/adapters/cli/**'],
          ...inPairs,
        },
      },
      {
        ...source,
        test: {
          name: 'cli',
          include: ['test/cli/**/*.test.ts', 'test/adapters/cli/**/*.test.ts'],
          ...inPairs,
        },
      },
      {
        ...source,
        test: {
          name: 'aws',
          include: [
            'test/aws/**/*.test.ts',
            'packages/cdk/test/**/*.test.ts',
            'packages/core/test/aws/loading.test.ts',
          ],
          ...inPairs,
        },
      },
      { ...source, test: { name: 'chaos', include: ['test/chaos/**/*.test.ts'], ...inPairs } },
      {
        ...source,
        test: {
          name: 'simulation',
          include: ['test/simulation/test/**/*.test.ts', 'test/docs/{benchmarks,dashboard}.test.ts'],
          ...inPairs,
        },
      },
      { ...source, test: { name: 'sidecar', include: ['test/sidecar/**/*.test.ts'], ...inPairs } },
      { ...source, test: { name: 'frozen', include: ['test/frozen/**/*.test.ts'], ...oneByOne } },
      { ...source, test: { name: 'examples', include: ['examples/*/test/**/*.test.ts'], ...inPairs } },
      { ...source, test: { name: 'attach', include: ['test/attach/**/*.test.ts'], ...oneByOne } },
      { ...source, test: { name: 'packed', include: ['test/packed/**/*.test.ts'], ...oneByOne } },
    ],
  },
})

export default config
