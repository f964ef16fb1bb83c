import { describe, expect, it } from 'vitest';
import type { PolicyHooks } from '../../../../../src/core/contracts/policy.ts';
import type { Chunk, Reply } from '../../../../../src/core/call.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import type { BoundPolicy } from '../../../../../src/pipeline/chain.ts';
import { checkChatStream, checkMessagesStream, checkResponsesStream, type SeenFrame } from '../../../../support/legal-streams.ts';
import { startLane } from './start-lane.ts';
import {
  CHAT,
  chunk,
  contentType,
  DONE,
  EVENTS,
  type Format,
  inPieces,
  MESSAGES,
  piece,
  RESPONSES,
  SAID,
  transcript,
  VENDORS,
} from './streams.ts';

const policy = (hooks: PolicyHooks<'models'>, stage: BoundPolicy['stage'] = 'transform'): BoundPolicy => ({
  name: 'test',
  stage,
  hooks: hooks as PolicyHooks,
});
const vendor = (format: Format, name = 'text') => ({
  providers: { main: VENDORS[format] },
  vendor: () => ({ headers: { 'content-type': contentType(format) }, body: inPieces(transcript(format, name), [90]) }),
});
const DOORS = [
  { path: '/v1/chat/completions', body: CHAT, format: 'openai-chat', check: checkChatStream },
  { path: '/v1/responses', body: RESPONSES, format: 'openai-responses', check: checkResponsesStream },
  { path: '/v1/messages', body: MESSAGES, format: 'anthropic-messages', check: checkMessagesStream },
] as const;
const cases = DOORS.flatMap((door) =>
  (['openai-chat', 'anthropic-messages', 'openai-responses'] as const).map((from) => ({ ...door, from })),
);
const ends = (frames: readonly SeenFrame[]): number =>
  frames.filter(({ event, data }) => data === '[DONE]' || event === 'message_stop' || event === 'response.completed').length;
const TEXT = 'Echo: Zürich';

describe.each(cases)('policies at $path, from a vendor of $from', ({ path, body, check, from }) => {
  const ask = { ...body, stream: true };

  it('with onReply only hold the stream, and let it pass as it was', async () => {
    const seen: Reply<'models'>[] = [];
    const lane = await startLane({ ...vendor(from), policies: [policy({ onReply: (_, reply) => void seen.push(reply) })] });
    const plain = await startLane(vendor(from));
    const [held, passed] = [await lane.ask(path, ask), await plain.ask(path, ask)];
    expect(check(held.frames)).toEqual([]);
    expect(seen).toHaveLength(1);
    expect(JSON.stringify(seen[0]?.body)).toContain(TEXT);
    const cleaned = (text: string): string => text.replace(/[0-9a-f]{32}/g, 'ID').replace(/"created(_at)?":\d+/g, '');
    expect(cleaned(held.text)).toBe(cleaned(passed.text));
  });

  it('that change the reply have it streamed anew, with one end', async () => {
    const shout: PolicyHooks<'models'> = { onReply: (call, reply) => call.mapText(reply, ({ text }) => text.replace('Zürich', 'Bern')) };
    const lane = await startLane({ ...vendor(from), policies: [policy(shout)] });
    const { frames, text } = await lane.ask(path, ask);
    expect(check(frames)).toEqual([]);
    expect(ends(frames)).toBe(1);
    expect(text).toContain('Bern');
    expect(text).not.toContain('Zürich');
    expect(lane.records[0]?.outcome).toMatchObject({ ok: true });
  });

  it('that refuse the reply let nothing of it out', async () => {
    const no: PolicyHooks<'models'> = {
      onReply() {
        throw new GatewayError('rule_refused', 'Not that.', { rule: 'no-cities' });
      },
    };
    const lane = await startLane({ ...vendor(from), policies: [policy(no, 'guard')] });
    const { status, text, json } = await lane.ask(path, ask);
    expect(status).toBe(403);
    expect(text).not.toMatch(/Echo|Zürich/);
    expect(json['error']).toMatchObject({ message: 'Not that. Rule: no-cities.' });
  });

  it('with onStream see one event in each chunk, and their changes are legal', async () => {
    const seen: Chunk<'models'>[] = [];
    const mask: PolicyHooks<'models'> = {
      async *onStream(call, chunks) {
        for await (const one of chunks) {
          seen.push(one);
          yield call.mapText(one, ({ text, origin }) => (origin === 'assistant' ? text.replaceAll('Zürich', 'Bern') : text));
        }
      },
    };
    const lane = await startLane({ ...vendor(from), policies: [policy(mask)] });
    const { frames, text } = await lane.ask(path, ask);
    expect(check(frames)).toEqual([]);
    expect(ends(frames)).toBe(1);
    expect(text).toContain('Bern');
    expect(text).not.toContain('Zürich');
    expect(seen).toHaveLength(frames.length);
    for (const [at, one] of seen.entries()) {
      expect(one.event).toBe(frames[at]!.event);
      expect(one.data['type'] ?? one.data['object']).toBe(
        frames[at]!.data === '[DONE]' ? undefined : ((frames[at]!.data as Record<string, unknown>)['type'] ?? 'chat.completion.chunk'),
      );
    }
    expect(seen.map(({ reply }) => reply !== undefined)).toEqual(seen.map((_, at) => at === seen.length - 1));
    expect(JSON.stringify(seen.at(-1)?.reply)).toContain(TEXT);
  });

  it('that give chunks of their own making are written as such, and completed ones still complete', async () => {
    const copy = (make: (chunk: Chunk<'models'>) => Chunk<'models'>): PolicyHooks<'models'> => ({
      async *onStream(_, chunks) {
        for await (const one of chunks) yield make(one);
      },
    });
    for (const make of [
      ({ event, data, reply }: Chunk<'models'>) => ({
        ...(event === undefined ? {} : { event }),
        data,
        ...(reply === undefined ? {} : { reply }),
      }),
      (one: Chunk<'models'>) => ({ ...one, data: one.data }),
      (one: Chunk<'models'>) => ({ ...one }),
    ]) {
      let replies = 0;
      const read: PolicyHooks<'models'> = { onReply: () => void (replies += 1) };
      const lane = await startLane({ ...vendor(from), policies: [policy(read), policy(copy(make))] });
      const { frames } = await lane.ask(path, ask);
      expect(check(frames)).toEqual([]);
      expect(ends(frames)).toBe(1);
      expect(replies).toBe(1);
    }
  });

  it('that answer in place of the vendor give a stream where one was asked for', async () => {
    const whole = { chat: SAID, messages: messagesReply, responses: responsesReply }[
      path.includes('chat') ? 'chat' : path.includes('messages') ? 'messages' : 'responses'
    ];
    const cached: PolicyHooks<'models'> = { onCall: () => ({ body: whole }) };
    const lane = await startLane({ ...vendor(from), policies: [policy(cached, 'cache')] });
    const { frames, text, headers } = await lane.ask(path, ask);
    expect(headers['content-type']).toContain('text/event-stream');
    expect(check(frames)).toEqual([]);
    expect(ends(frames)).toBe(1);
    expect(text).toContain('Hi there');
    const plain = await lane.ask(path, body);
    expect(plain.json).toEqual(whole);
    expect(lane.requests).toEqual([]);
    expect(lane.records[0]?.outcome.events).toMatchObject([{ type: 'answered', detail: 'test' }]);
  });

  it('that refuse the call do it in the words of the caller, before anything is sent', async () => {
    const no: PolicyHooks<'models'> = {
      onCall() {
        throw new GatewayError('limit_exceeded', 'Slow down.', { retryAfterMs: 1_500 });
      },
    };
    const lane = await startLane({ ...vendor(from), policies: [policy(no, 'limit')] });
    for (const asked of [ask, body]) {
      const { status, headers, json } = await lane.ask(path, asked);
      expect(status).toBe(429);
      expect(headers).toMatchObject({ 'retry-after': '2', 'retry-after-ms': '1500', 'content-type': 'application/json' });
      expect(json['error']).toMatchObject({ type: 'rate_limit_error', message: 'Slow down.' });
    }
    expect(lane.requests).toEqual([]);
  });

  it('that change texts of the request change what is sent', async () => {
    const mask: PolicyHooks<'models'> = { onCall: (call) => call.rewriteText(({ text }) => text.replace('Hello', 'Masked')) };
    const lane = await startLane({ ...vendor(from), policies: [policy(mask)] });
    await lane.ask(path, ask);
    const sent = Buffer.from(lane.requests[0]!.body as Uint8Array).toString();
    expect(sent).toContain('Masked');
    expect(sent).not.toContain('Hello');
    expect(sent).toContain('"model":"gpt-9"');
  });

  it('that change no text leave the bytes alone', async () => {
    const look: PolicyHooks<'models'> = { onCall: (call) => call.rewriteText(({ text }) => text) };
    const lane = await startLane({ ...vendor(from), policies: [policy(look)] });
    const plain = await startLane(vendor(from));
    const text = ` ${JSON.stringify(ask, null, 2)}`;
    await lane.ask(path, text);
    await plain.ask(path, text);
    expect(lane.requests[0]!.body).toEqual(plain.requests[0]!.body);
  });
});

const messagesReply = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-9',
  content: [{ type: 'text', text: 'Hi there' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 2 },
};
const responsesReply = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'gpt-9',
  error: null,
  incomplete_details: null,
  output: [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Hi there', annotations: [] }],
    },
  ],
  usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
};

describe('comments of a vendor', () => {
  const stream = [
    ': OPENROUTER PROCESSING\n\n',
    piece('Hi'),
    ': OPENROUTER PROCESSING\n\n',
    piece(' there'),
    piece('', 'stop'),
    chunk({ choices: [], usage: SAID.usage }),
    DONE,
  ].join('');

  it('are no part of the answer that policies read', async () => {
    const seen: Reply<'models'>[] = [];
    const lane = await startLane({
      vendor: () => ({ headers: EVENTS, body: stream }),
      policies: [policy({ onReply: (_, reply) => void seen.push(reply) })],
    });
    const { frames } = await lane.ask('/v1/chat/completions', { ...CHAT, stream: true });
    expect(checkChatStream(frames)).toEqual([]);
    expect(seen[0]?.body['choices']).toMatchObject([{ message: { content: 'Hi there' }, finish_reason: 'stop' }]);
  });
});

describe('usage that the vendor did not say', () => {
  it('is in the reply that policies read, as an estimate', async () => {
    const seen: Reply<'models'>[] = [];
    const read: PolicyHooks<'models'> = { onReply: (_, reply) => void seen.push(reply) };
    const lane = await startLane({ ...vendor('openai-chat', 'text-without-usage'), policies: [policy(read)] });
    await lane.ask('/v1/messages', { ...MESSAGES, stream: true });
    const { usage } = lane.records[0]!.outcome;
    expect(usage).toMatchObject({ estimated: true });
    expect(seen[0]?.body['usage']).toMatchObject({ output_tokens: usage?.outputTokens });
  });
});
