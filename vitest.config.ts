import { defineConfig } from 'vitest/config';
import { failOnSkip } from './test/support/fail-on-skip.ts';

const node = { environment: 'node' as const };

/** `npm test` runs every project; `npm run test:e2e` has a configuration of its own in test/e2e/peers. */
export default defineConfig({
  test: {
    reporters: process.env.HUBGATE_CI ? ['default', failOnSkip] : ['default'],
    projects: [
      // Property tests may take seconds on a machine that does other things.
      { test: { ...node, name: 'unit', include: ['test/{unit,contracts,spec}/**/*.test.ts'], testTimeout: 30_000 } },
      { test: { ...node, name: 'architecture', include: ['test/architecture.test.ts'] } },
      {
        test: {
          ...node,
          name: 'stories',
          include: ['test/e2e/*/*.test.ts'],
          exclude: ['test/e2e/peers/**'],
          // Stories measure times and start hubs of their own: after everything else, one at a time.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
    ],
  },
});
