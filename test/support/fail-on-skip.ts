import type { Reporter, TestModule } from 'vitest/node';

/** Reporter that fails a run in which a test was skipped, by name: for CI, where a test that cannot run proves nothing. */
export const failOnSkip: Reporter = {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    if (skipped.length === 0) return;
    console.error(
      `Skipped, which HUBGATE_CI does not allow:\n${skipped.map((test) => `  ${test.module.relativeModuleId}: ${test.fullName}`).join('\n')}`,
    );
    process.exitCode = 1;
  },
};
