import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Channel } from '../../../../../src/core/contracts/tool-source.ts';
import type { Logger } from '../../../../../src/core/logger.ts';
import type { ToolsChunk } from '../../../../../src/core/tools.ts';
import type { Caller } from '../../../../../src/lanes/tools/serve/caller.ts';
import { converse } from '../../../../../src/lanes/tools/serve/channel.ts';
import { Session } from '../../../../../src/lanes/tools/serve/session.ts';

const MINUTE = 60_000;
const result: ToolsChunk = { type: 'result', result: { content: [] } };

function callerOf(session: Session): Caller {
  return { session, canAsk: true, protocolVersion: '2025-11-25', clientCapabilities: {}, clientInfo: undefined } as unknown as Caller;
}

const openSession = (): Session =>
  new Session('id', { consumer: 'alice', door: 'd', protocolVersion: '2025-11-25', clientCapabilities: {}, clientInfo: undefined });

describe('a question to the client', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A question that has gone to the client. */
  async function ask(signal = new AbortController().signal) {
    const session = openSession();
    let question: Promise<unknown> = Promise.resolve();
    const talk = converse(callerOf(session), {}, signal, async (channel) => {
      await (question = channel.request('roots/list', {}).catch((error: unknown) => error));
      return { content: [] };
    });
    const asked = await talk.next();
    return { session, question: () => question, asked: asked.value as ToolsChunk, next: () => talk.next() };
  }

  it('is answered by its id', async () => {
    const { session, question, asked, next } = await ask();
    const { id } = asked as Extract<ToolsChunk, { type: 'request' }>;
    session.questions.get(id)!.answer({ kind: 'response', id, result: { roots: [] } } as never);
    expect(await question()).toEqual({ roots: [] });
    expect((await next()).value).toEqual(result);
    expect([session.questions.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('ends after 5 minutes without an answer', async () => {
    const { session, question, next } = await ask();
    vi.advanceTimersByTime(5 * MINUTE - 1);
    expect(session.questions.size).toBe(1);
    vi.advanceTimersByTime(1);
    expect(await question()).toMatchObject({ code: 'client_closed' });
    expect(session.questions.size).toBe(0);
    expect((await next()).value).toEqual(result);
  });

  it('ends with its call, and is not asked after it', async () => {
    const aborting = new AbortController();
    const { session, question } = await ask(aborting.signal);
    aborting.abort();
    expect(await question()).toMatchObject({ code: 'client_closed' });
    expect([session.questions.size, vi.getTimerCount()]).toEqual([0, 0]);
    const late = await ask(aborting.signal);
    expect([late.asked, await late.question()]).toEqual([result, expect.objectContaining({ code: 'client_closed' })]);
  });
});

it('a reader that stands still misses notifications, which is logged once, and gets the questions and the result', async () => {
  const warn = vi.fn();
  const finished = Promise.withResolvers<void>();
  const session = openSession();
  const work = async (channel: Channel) => {
    for (let n = 0; n < 10_500; n++) channel.notify('notifications/progress', { progress: n });
    void channel.request('roots/list', {}).catch(() => undefined);
    finished.resolve();
    return { content: [] };
  };
  const talk = converse(callerOf(session), {}, new AbortController().signal, work, { warn } as unknown as Logger);
  await talk.next();
  await finished.promise;
  const read: ToolsChunk[] = [];
  for await (const chunk of talk) read.push(chunk);
  expect(read).toHaveLength(10_001);
  expect(read.slice(-2)).toEqual([expect.objectContaining({ type: 'request' }), result]);
  expect(warn).toHaveBeenCalledTimes(1);
  for (const question of session.questions.values()) question.leave();
});
