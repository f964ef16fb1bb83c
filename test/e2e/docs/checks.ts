import type { RunningExample } from './start-example.ts';

/** What an example has to show. */
export interface Check {
  /** In place of the texts that environment variables have else. */
  readonly env?: Readonly<Record<string, string>>;
  assert(example: RunningExample): Promise<void>;
  /** Names of routes that nothing can call now, because of the time that it is. */
  untaken?(): readonly string[];
}

/** By the title of the example, in the order of the page. */
export type Checks = Readonly<Record<string, Check>>;
