import { describe, expect, it } from 'vitest';
import { checkChatStream, checkMessagesStream, checkResponsesStream } from '../../support/legal-streams.ts';
import { startLane, type Asked } from '../lanes/models/doors/start-lane.ts';
import {
  CHAT,
  contentType,
  EVENTS,
  type Format,
  inPieces,
  MESSAGES,
  NAMES,
  RESPONSES,
  SAID,
  transcript,
  VENDORS,
} from '../lanes/models/doors/streams.ts';
import { createHub } from './cached-hub.ts';

const DOORS = [
  { path: '/v1/chat/completions', body: CHAT, check: checkChatStream },
  { path: '/v1/responses', body: RESPONSES, check: checkResponsesStream },
  { path: '/v1/messages', body: MESSAGES, check: checkMessagesStream },
] as const;
const FORMATS = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const satisfies readonly Format[];
const cases = DOORS.flatMap((door) => FORMATS.flatMap((from) => NAMES.map((name) => ({ ...door, from, name }))));

describe.each(cases)('$path of a vendor of $from ($name)', ({ path, body, check, from, name }) => {
  it('gives a streamed answer again, whole and as a stream', async () => {
    const lane = await startLane({
      providers: { main: VENDORS[from] },
      vendor: () => ({ headers: { 'content-type': contentType(from) }, body: inPieces(transcript(from, name), [90]) }),
      policies: [await createHub().bound()],
    });
    const first = await lane.ask(path, { ...body, stream: true });
    const whole = await lane.ask(path, body);
    const again = await lane.ask(path, { ...body, stream: true });
    expect([check(first.frames), check(again.frames)]).toEqual([[], []]);
    expect(again.headers['content-type']).toContain('text/event-stream');
    expect(whole.headers['content-type']).toBe('application/json');
    for (const text of [JSON.stringify(whole.json), again.text]) expect(text).toMatch(/Zürich|naïve/);
    expect(lane.requests).toHaveLength(1);
    expect(lane.logged).toEqual([]);
    expect(lane.records.map(({ outcome }) => outcome.events.find(({ type }) => type === 'cached')?.detail)).toEqual(['miss', 'hit', 'hit']);
    for (const { outcome } of lane.records.slice(1)) expect(outcome).toMatchObject({ ok: true, attempts: 0 });
    for (const { outcome } of lane.records.slice(1)) expect(outcome.usage).toBeUndefined();
  });
});

it('gives a whole answer again, byte for byte the same JSON, and as a stream', async () => {
  const lane = await startLane({
    vendor: () => ({ headers: { 'content-type': 'application/json' }, body: SAID }),
    policies: [await createHub().bound()],
  });
  const [first, again] = [await lane.ask('/v1/chat/completions', CHAT), await lane.ask('/v1/chat/completions', CHAT)];
  expect(again.text).toBe(first.text);
  const streamed = await lane.ask('/v1/chat/completions', { ...CHAT, stream: true, stream_options: { include_usage: true } });
  expect(checkChatStream(streamed.frames)).toEqual([]);
  expect(streamed.text).toContain('"total_tokens":5');
  expect(lane.requests).toHaveLength(1);
});

it('has the usage in an answer whose stream was not to show it', async () => {
  const lane = await startLane({
    vendor: () => ({ headers: EVENTS, body: transcript('openai-chat', 'text') }),
    policies: [await createHub().bound()],
  });
  const first = await lane.ask('/v1/chat/completions', { ...CHAT, stream: true });
  expect(first.text).not.toContain('"total_tokens"');
  const whole = await lane.ask('/v1/chat/completions', CHAT);
  expect(whole.json['usage']).toMatchObject({ prompt_tokens: 5, completion_tokens: 6, total_tokens: 11 });
  expect(lane.requests).toHaveLength(1);
});

it('keeps vectors and counts', async () => {
  const vectors = {
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [0.25, -1] }],
    model: 'm',
    usage: { prompt_tokens: 1 },
  };
  const lane = await startLane({ vendor: () => ({ body: vectors }), policies: [await createHub().bound()] });
  const ask = (): Promise<Asked> => lane.ask('/v1/embeddings', { model: 'm', input: 'Hello' });
  expect([(await ask()).json, (await ask()).json]).toEqual([vectors, vectors]);
  expect(lane.requests).toHaveLength(1);
});

it('asks the vendor once for equal calls at the same time', async () => {
  const go = Promise.withResolvers<void>();
  const lane = await startLane({
    vendor: async () => {
      await go.promise;
      return { headers: { 'content-type': 'application/json' }, body: SAID };
    },
    policies: [await createHub().bound()],
  });
  const calls = Array.from({ length: 5 }, (_, index) => lane.ask('/v1/chat/completions', { ...CHAT, stream: index === 3 }));
  await expect.poll(() => lane.inside()).toBe(5);
  go.resolve();
  const answers = await Promise.all(calls);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(checkChatStream(answers[3]!.frames)).toEqual([]);
  expect(lane.requests).toHaveLength(1);
});
