import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { ToolsChunk } from '../../../../src/core/tools.ts';
import { SourceError } from '../../../../src/core/contracts/tool-source.ts';
import type { Step } from '../../../../src/pipeline/chain.ts';
import type { LiveCall } from '../../../../src/pipeline/live-call.ts';
import { throughStep } from '../../../../src/pipeline/streams/stream-step.ts';

type Chunks = AsyncIterable<ToolsChunk>;

const note = (data: number): ToolsChunk => ({ type: 'notification', method: 'notifications/message', params: { data } });
const result: ToolsChunk = { type: 'result', result: { content: [] } };
const completes = (chunk: ToolsChunk): boolean => chunk.type === 'result';

async function* source(everyMs = 0, ...chunks: ToolsChunk[]): AsyncGenerator<ToolsChunk> {
  for (const chunk of chunks) {
    if (everyMs > 0) await sleep(everyMs);
    yield chunk;
  }
}

async function through(onStream: (chunks: Chunks) => Chunks, from: Chunks, use: Partial<Step> = {}) {
  const log = { error: vi.fn() };
  const hooks = { onStream: (_call: unknown, chunks: Chunks) => onStream(chunks) };
  const step = { name: 'mine', stage: 'transform', place: 0, observes: false, refusesOnFailure: false, ...use, hooks } as unknown as Step;
  const got: ToolsChunk[] = [];
  const failure: unknown = await (async () => {
    for await (const chunk of throughStep<'tools'>(step, { log } as unknown as LiveCall<'tools'>, completes, from)) got.push(chunk);
  })().catch((error: unknown) => error);
  return { got, failure, logged: log.error.mock.calls.length };
}

describe('onStream of one policy', () => {
  it('that fails is passed over from the first chunk that it kept', async () => {
    const late = async function* (chunks: Chunks): AsyncGenerator<ToolsChunk> {
      const held: ToolsChunk[] = [];
      for await (const chunk of chunks) {
        held.push(chunk);
        if (held.length > 2) yield held.shift()!;
        if (chunk.type === 'result') throw new Error('boom');
      }
    };
    const all = [note(1), note(2), note(3), note(4), result];
    expect(await through(late, source(0, ...all))).toEqual({ got: all, failure: undefined, logged: 1 });
    const refused = await through(late, source(0, ...all), { refusesOnFailure: true });
    expect(refused.got).toEqual([note(1), note(2), note(3)]);
    expect(refused.failure).toMatchObject({ code: 'internal', message: expect.stringContaining('mine') });
  });

  it('that throws before it reads anything is passed over', async () => {
    const bad = (): Chunks => {
      throw new Error('boom');
    };
    expect(await through(bad, source(0, note(1), result))).toEqual({ got: [note(1), result], failure: undefined, logged: 1 });
  });

  it('that fails after the result has passed only goes to the log', async () => {
    const after = async function* (chunks: Chunks): AsyncGenerator<ToolsChunk> {
      yield* chunks;
      throw new Error('boom');
    };
    expect(await through(after, source(0, result), { refusesOnFailure: true })).toEqual({ got: [result], failure: undefined, logged: 1 });
  });

  it('does not hide what the source throws', async () => {
    const thrown = new SourceError(-32_000, 'its own');
    const broken = async function* (): AsyncGenerator<ToolsChunk> {
      yield note(1);
      throw thrown;
    };
    const masking = async function* (chunks: Chunks): AsyncGenerator<ToolsChunk> {
      try {
        yield* chunks;
      } catch {
        throw new Error('of the policy');
      }
    };
    for (const policy of [(chunks: Chunks) => chunks, masking]) {
      expect(await through(policy, broken())).toEqual({ got: [note(1)], failure: thrown, logged: 0 });
    }
  });

  it('has its time for each step, without that of the source', async () => {
    const pass = (chunks: Chunks): Chunks => chunks;
    expect(await through(pass, source(60, note(1), note(2), result), { timeoutMs: 40 })).toMatchObject({ logged: 0, failure: undefined });
    const hangs = async function* (chunks: Chunks): AsyncGenerator<ToolsChunk> {
      for await (const chunk of chunks) {
        if (chunk.type === 'result') await new Promise(() => {});
        yield chunk;
      }
    };
    expect(await through(hangs, source(0, note(1), result), { timeoutMs: 40 })).toEqual({
      got: [note(1), result],
      failure: undefined,
      logged: 1,
    });
  });

  it('ends the source when it is left', async () => {
    let ended = false;
    const open = async function* (): AsyncGenerator<ToolsChunk> {
      try {
        for (;;) yield note(1);
      } finally {
        ended = true;
      }
    };
    const step = { name: 'mine', stage: 'transform', hooks: { onStream: (_: unknown, chunks: Chunks) => chunks } } as unknown as Step;
    for await (const _ of throughStep<'tools'>(step, {} as LiveCall<'tools'>, completes, open())) break;
    await vi.waitFor(() => expect(ended).toBe(true));
  });
});
