import { defineConfig } from 'vitest/config';
import { failOnSkip } from '../../support/fail-on-skip.ts';

/** Each test file starts a hub and real clients of its own, so one at a time on a small machine. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    environment: 'node',
    reporters: process.env.HUBGATE_CI ? ['default', failOnSkip] : ['default'],
    include: ['*.test.ts', 'models/*.test.ts', 'agents/*.test.ts', 'embedding/*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
