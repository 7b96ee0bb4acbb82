import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** Tests run on the sources, so that they need no build. */
const conditions = ['@leasehold/source', 'node']
const source = { resolve: { conditions }, ssr: { resolve: { conditions } } }

/** Suites that start servers or processes: one file at a time, real time. */
const withServers = { fileParallelism: false, testTimeout: 60_000, hookTimeout: 240_000 }

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
        test: { name: 'databases', include: ['test/databases/test/**/*.test.ts'], ...withServers },
      },
      { ...source, test: { name: 'lambda', include: ['test/lambda/test/**/*.test.ts'], ...withServers } },
      {
        ...source,
        test: { name: 'conformance', include: ['test/conformance/**/*.test.ts'], ...withServers },
      },
      {
        ...source,
        test: {
          name: 'adapters',
          include: ['test/adapters/**/*.test.ts'],
          exclude: ['test/adapters/cli/**'],
          ...withServers,
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
      {
        ...source,
        // Runs of a program, each on a server of its own, that mostly wait: two at a time.
        test: {
          name: 'cli',
          include: ['test/cli/**/*.test.ts', 'test/adapters/cli/**/*.test.ts'],
          ...withServers,
          fileParallelism: true,
          maxWorkers: 2,
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
          ...withServers,
        },
      },
      { ...source, test: { name: 'chaos', include: ['test/chaos/**/*.test.ts'], ...withServers } },
      {
        ...source,
        test: {
          name: 'simulation',
          include: ['test/simulation/test/**/*.test.ts', 'test/docs/{benchmarks,dashboard}.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        ...source,
        // Environments of their own that mostly wait: two files at a time.
        test: {
          name: 'sidecar',
          include: ['test/sidecar/**/*.test.ts'],
          ...withServers,
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
      { ...source, test: { name: 'frozen', include: ['test/frozen/**/*.test.ts'], ...withServers } },
      {
        ...source,
        test: { name: 'examples', include: ['examples/*/test/**/*.test.ts'], ...withServers },
      },
      { ...source, test: { name: 'attach', include: ['test/attach/**/*.test.ts'], ...withServers } },
      { ...source, test: { name: 'packed', include: ['test/packed/**/*.test.ts'], ...withServers } },
    ],
  },
})

export default config
