import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, startHub } from '../../support/start-hub.ts';
import { peerProgram } from './peer-program.ts';

const SOURCE = fileURLToPath(new URL('../../support/conformance-source.ts', import.meta.url));

/** Run without being scored yet. The rest of those is the tasks extension and resuming of streams, which the hub does not have. */
const NOT_SCORED_BUT_KEPT = new Set([
  'server-session-lifecycle',
  'json-schema-2020-12',
  'http-header-validation',
  'http-custom-header-server-validation',
]);

interface Scenario {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  /** The suite counts it for this revision; extensions and later scenarios run without counting. */
  readonly scored: boolean;
  readonly problems: readonly string[];
}

describe('official MCP suite', () => {
  let hub: Hub;
  beforeAll(async () => {
    const config = `extensions: [${JSON.stringify(SOURCE)}]\nservers:\n  fixture: { source: conformance }\n`;
    hub = await startHub({ files: { 'hubgate.yaml': config } });
  });
  afterAll(() => hub?.stop());

  // The counts are the frozen lists of the suite: fewer would mean that its output was not read.
  it.each([
    { revision: '2025-11-25', scored: 30, kept: 2 },
    { revision: '2026-07-28', scored: 37, kept: 3 },
  ])('$revision: everything that is scored passes', async ({ revision, scored, kept }) => {
    const url = `http://localhost:${new URL(hub.url).port}/mcp/fixture`;
    const scenarios = await runSuite(url, revision);
    const required = scenarios.filter((one) => one.scored || NOT_SCORED_BUT_KEPT.has(one.name));
    const others = scenarios.filter((one) => !required.includes(one));
    console.log(`${revision}, not asserted:`);
    console.table(others.map(({ name, passed, failed, problems }) => ({ name, passed, failed, first: problems[0]?.slice(0, 80) ?? '' })));

    expect(required).toHaveLength(scored + kept);
    expect(required.filter((one) => one.scored)).toHaveLength(scored);
    expect(required.filter(({ passed, failed }) => passed === 0 || failed > 0).map(({ name, problems }) => ({ name, problems }))).toEqual(
      [],
    );
  });
});

/** Runs the requirements of one revision, each scenario at that revision's wire. */
async function runSuite(url: string, revision: string): Promise<Scenario[]> {
  const out = await mkdtemp(join(tmpdir(), 'hubgate-conformance-'));
  try {
    const suite = await peerProgram('@modelcontextprotocol/conformance', 'conformance');
    const child = spawn(process.execPath, [suite, 'server', '--url', url, '--requirements', revision, '-o', out]);
    let log = '';
    child.stdout.on('data', (data) => (log += data));
    child.stderr.on('data', (data) => (log += data));
    await once(child, 'close');
    const unscored = new Set([...log.matchAll(/^ {2}[✓✗] (\S+) \((?:extension|pending|added-after-release)\)/gm)].map((match) => match[1]));
    const folders = await readdir(out);
    const scenarios = [...log.matchAll(/^[✓✗] (\S+): (\d+) passed, (\d+) failed/gm)].map(async ([, name = '', passed, failed]) => ({
      name,
      passed: Number(passed),
      failed: Number(failed),
      scored: !unscored.has(name),
      problems: await readProblems(
        out,
        folders.find((folder) => folder.startsWith(`server-${name}-20`)),
      ),
    }));
    if (scenarios.length === 0) throw new Error(`The suite printed no summary:\n${log}`);
    return await Promise.all(scenarios);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** A scenario that failed early leaves no file. */
async function readProblems(out: string, folder: string | undefined): Promise<string[]> {
  if (folder === undefined) return [];
  const text = await readFile(join(out, folder, 'checks.json'), 'utf8').catch(() => '[]');
  const checks = JSON.parse(text) as { id: string; status: string; errorMessage?: string }[];
  return checks.filter(({ status }) => status === 'FAILURE').map(({ id, errorMessage = '' }) => `${id}: ${errorMessage}`);
}
