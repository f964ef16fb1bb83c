import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Problem } from '../core/contracts/resource.ts';
import { documentProblems } from './document-problems.ts';
import { isError } from './generation.ts';
import { ConfigRefused } from './generation.ts';
import { Hub, type HubOptions } from './hub.ts';

export interface CheckResult {
  readonly ok: boolean;
  /** Errors first, each list in the order of the files. */
  readonly problems: readonly Problem[];
}

/** Builds everything as a start would, documents included, listens nowhere, and says all that is wrong. A data folder that is not there is not made. */
export async function checkConfig(options: HubOptions): Promise<CheckResult> {
  if (existsSync(options.dataDir)) return check(options);
  const dataDir = await mkdtemp(join(tmpdir(), 'hubgate-check-'));
  try {
    return await check({ ...options, dataDir, store: 'sqlite::memory:', state: 'memory:' });
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function check(options: HubOptions): Promise<CheckResult> {
  let hub: Hub;
  try {
    hub = await Hub.open({ ...options, logLevel: 'silent' });
  } catch (error) {
    if (error instanceof ConfigRefused) return { ok: false, problems: error.problems };
    throw error;
  }
  try {
    await hub.lanes.tools.settled();
    const problems = [...hub.problems, ...documentProblems(hub)];
    const errors = problems.filter(isError);
    return { ok: errors.length === 0, problems: [...errors, ...problems.filter((problem) => !isError(problem))] };
  } finally {
    await hub.close();
  }
}
