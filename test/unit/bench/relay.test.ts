import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadJob, LoadResult } from '../../../bench/load.ts';
import { freePort, startProgram, type Program } from '../../../bench/programs.ts';
import { chatCalls, chatStreams } from '../../../bench/requests.ts';
import { CHAT_PATH, place, reference, upstream, type MakeTarget } from '../../../bench/targets.ts';

const TARGET = { command: [], env: {}, path: CHAT_PATH, headers: {} };
const EXPECT = '"total_tokens":143';

let folder: string;
const programs: Program[] = [];

async function start(name: string, make: MakeTarget, origin: string): Promise<string> {
  const port = await freePort();
  const program = await startProgram({ ...make(port, origin), name, port, core: 0, logFile: join(folder, `${name}.txt`) });
  programs.push(program);
  return program.origin;
}

async function load(job: Pick<LoadJob, 'requests' | 'expect' | 'stream'>): Promise<LoadResult> {
  const child = spawn(process.execPath, [place('load.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const where = { port: Number(new URL(programs.at(-1)!.origin).port), connections: 3, warmSeconds: 0.1, seconds: 0.5 };
  child.stdin.end(JSON.stringify({ ...where, serverPids: [], upstreamPids: [], ...job } satisfies LoadJob));
  return JSON.parse(await text(child.stdout)) as LoadResult;
}

const STREAM = { chunks: 4, firstAfterMs: 20, rampMs: 10 };
const streams = (): Promise<string[]> => chatStreams(TARGET, 'mock-4x10f20');

describe('the load client, the relay and the model behind it', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hubgate-relay-'));
    const behind = await start('upstream', upstream, '');
    await start('bare', reference('bare.mjs', CHAT_PATH), behind);
  });
  afterAll(async () => {
    await Promise.all(programs.map((program) => program.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('whole answers are whole', async () => {
    const result = await load({ requests: await chatCalls(TARGET), expect: EXPECT });
    expect(result).toMatchObject({ bad: 0 });
    expect(result.callsPerSecond).toBeGreaterThan(10);
    expect(result.stream).toBeUndefined();
  });

  it('streams are whole and keep the pace of the model', async () => {
    const result = await load({ requests: await streams(), expect: EXPECT, stream: STREAM });
    expect(result).toMatchObject({ bad: 0 });
    expect(result.p50).toBeGreaterThan(45);
    expect(result.stream!.chunksPerSecond).toBeGreaterThan(20);
    for (const value of [result.stream!.firstByte.p50, result.stream!.transit.p50]) {
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThan(40);
    }
  });

  it.each([
    ['a text that is not there', { expect: 'nothing', stream: STREAM }, 'without nothing'],
    ['another number of chunks', { expect: EXPECT, stream: { ...STREAM, chunks: 5 } }, '4 chunks, not 5'],
  ])('finds %s', async (_name, job, problem) => {
    const result = await load({ requests: await streams(), ...job });
    expect(result.bad).toBeGreaterThan(0);
    expect(result.firstBad).toContain(problem);
  });

  it('converts nothing, yet answers in Anthropic’s format', async () => {
    const [request = ''] = await chatCalls({ ...TARGET, path: '/v1/messages' });
    expect(await load({ requests: [request], expect: '"stop_reason":"end_turn"' })).toMatchObject({ bad: 0 });
  });
});
