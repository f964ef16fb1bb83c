import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatReply } from '../../../../../src/core/chat.ts';
import type { ChatCodec, DoorCodec, WireFrame } from '../../../../../src/core/contracts/provider.ts';
import { Assembly } from '../../../../../src/lanes/models/calls/assemble.ts';
import { anthropicMessages } from '../../../../../src/lanes/models/formats/anthropic-messages/anthropic-messages.ts';
import { bedrockConverse } from '../../../../../src/lanes/models/formats/bedrock-converse/bedrock-converse.ts';
import { gemini } from '../../../../../src/lanes/models/formats/gemini/gemini.ts';
import { openaiChat } from '../../../../../src/lanes/models/formats/openai-chat/openai-chat.ts';
import { openaiResponses } from '../../../../../src/lanes/models/formats/openai-responses/openai-responses.ts';
import { createAwsEventStreamReader } from '../../../../../src/upstreams/aws-event-stream.ts';
import { createEventStreamReader } from '../../../../../src/upstreams/event-stream.ts';
import { checkChatStream, checkMessagesStream, checkResponsesStream, type SeenFrame } from '../../../../support/legal-streams.ts';
import { startLane, type StartedLane } from '../doors/start-lane.ts';
import { CHAT, contentType, type Format, inPieces, MESSAGES, NAMES, RESPONSES, SAID, transcript, VENDORS } from '../doors/streams.ts';

const CODECS: Readonly<Record<Format, ChatCodec>> = {
  'openai-chat': openaiChat,
  'openai-responses': openaiResponses,
  'anthropic-messages': anthropicMessages,
  gemini,
  'bedrock-converse': bedrockConverse,
};
interface DoorCase {
  readonly path: string;
  readonly codec: DoorCodec;
  readonly body: object;
  check(frames: readonly SeenFrame[]): string[];
}
const DOORS: readonly DoorCase[] = [
  { path: '/v1/chat/completions', codec: openaiChat, body: CHAT, check: checkChatStream },
  { path: '/v1/responses', codec: openaiResponses, body: RESPONSES, check: checkResponsesStream },
  { path: '/v1/messages', codec: anthropicMessages, body: MESSAGES, check: checkMessagesStream },
];
const all = DOORS.flatMap((door) => (Object.keys(VENDORS) as Format[]).map((format) => ({ door, path: door.path, format })));

/** What a client gathers from frames. */
function gathered(codec: ChatCodec, frames: readonly WireFrame[]): ChatReply {
  const reader = codec.streamReader('anthropic');
  const assembly = new Assembly();
  for (const frame of frames) for (const event of reader.read(frame)) assembly.add(event);
  for (const event of reader.close()) assembly.add(event);
  return assembly.reply;
}

/** What the vendor's bytes say, read without any lane. */
function vendorSaid(format: Format, bytes: Buffer): ChatReply {
  const codec = CODECS[format];
  const reader = codec.framing === 'sse' ? createEventStreamReader() : createAwsEventStreamReader();
  return gathered(codec, [...reader.push(bytes), ...reader.close()]);
}

const wireFrames = (frames: readonly SeenFrame[]): WireFrame[] =>
  frames.map(({ event, data }) => ({
    ...(event === undefined ? {} : { event }),
    data: typeof data === 'string' ? data : JSON.stringify(data),
  }));
const textOf = ({ parts }: ChatReply, type: string): string =>
  parts.map((part) => (part.type === type && 'text' in part ? part.text : '')).join('');
const callsOf = ({ parts }: ChatReply) =>
  parts.flatMap((part) => (part.type === 'call' ? [{ name: part.name, arguments: JSON.parse(part.arguments || '{}') as unknown }] : []));

async function laneFor(format: Format, body: () => { bytes: Buffer; sizes: readonly number[] }): Promise<StartedLane> {
  return startLane({
    providers: { main: VENDORS[format] },
    vendor: () => {
      const { bytes, sizes } = body();
      return { headers: { 'content-type': contentType(format) }, body: inPieces(bytes, sizes) };
    },
  });
}

describe.each(all)('$path from a vendor who streams $format', ({ door, format }) => {
  it.each(NAMES)('%s: the frames are legal and say what the vendor said, in whatever pieces it came', async (name) => {
    const bytes = transcript(format, name);
    let sizes: readonly number[] = [bytes.length];
    const lane = await laneFor(format, () => ({ bytes, sizes }));
    const expected = vendorSaid(format, bytes);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 }), fc.boolean(), async (chosen, usage) => {
        sizes = chosen;
        const asked = {
          ...door.body,
          stream: true,
          ...(usage && door.codec === openaiChat ? { stream_options: { include_usage: true } } : {}),
        };
        const answer = await lane.ask(door.path, asked);
        expect(answer.status).toBe(200);
        expect(answer.headers['content-type']).toBe('text/event-stream; charset=utf-8');
        expect(answer.broken).toBe(false);
        expect(door.check(answer.frames)).toEqual([]);
        const got = gathered(door.codec, wireFrames(answer.frames));
        expect(textOf(got, 'text')).toBe(textOf(expected, 'text'));
        expect(textOf(got, 'reasoning')).toBe(textOf(expected, 'reasoning'));
        expect(callsOf(got)).toEqual(callsOf(expected));
        expect(got.finish).toBe(expected.finish);
      }),
      { numRuns: 6 },
    );
    expect(lane.inside()).toBe(0);
    const said = expected.usage?.outputTokens;
    for (const { outcome } of lane.records) {
      expect(outcome).toMatchObject({ ok: true, streamed: true });
      if (said === undefined) expect(outcome.usage).toMatchObject({ estimated: true, outputTokens: expect.any(Number) });
      else expect(outcome.usage).toMatchObject({ inputTokens: expected.usage!.inputTokens, outputTokens: said });
      expect(outcome.usage?.estimated).toBe(said === undefined ? true : undefined);
      if (expected.model !== undefined) expect(outcome.modelServed).toBe(expected.model);
    }
  });

  it('a stream that is cut ends in an error of the format, after what had come', async () => {
    const whole = transcript(format, 'text');
    const bytes = whole.subarray(0, Math.floor(whole.length / 2));
    const lane = await laneFor(format, () => ({ bytes, sizes: [50] }));
    const answer = await lane.ask(door.path, { ...door.body, stream: true });
    expect(answer.status).toBe(200);
    expect(door.check(answer.frames)).toEqual([]);
    const last = answer.frames.at(-1)!;
    expect(JSON.stringify(last.data)).toMatch(/upstream_cut|api_error/);
    expect(answer.text).not.toContain('[DONE]');
    expect(lane.records.at(-1)?.outcome).toMatchObject({ ok: false, error: { code: 'upstream_cut' } });
    expect(lane.records.at(-1)?.outcome.usage?.inputTokens).toEqual(expect.any(Number));
  });
});

describe('a whole answer by way of the neutral form', () => {
  const ask = { ...CHAT, seed: 7, logit_bias: { 5: 1 }, top_k: 3 };
  const answer = {
    id: 'msg',
    type: 'message',
    role: 'assistant',
    model: 'claude-9',
    content: [{ type: 'text', text: 'Hi' }],
    stop_reason: 'end_turn',
  };

  it('names what was left out as the caller names it', async () => {
    const lane = await startLane({ providers: { main: VENDORS['anthropic-messages'] }, vendor: () => ({ body: answer }) });
    const { headers, status } = await lane.ask('/v1/chat/completions', ask);
    expect(status).toBe(200);
    const dropped = String(headers['x-hubgate-dropped']).split(', ');
    expect(dropped).toEqual(expect.arrayContaining([expect.stringMatching(/^seed\b/), expect.stringMatching(/^logit_bias\b/)]));
    expect(dropped.join()).not.toMatch(/topK|unread/);
    expect(lane.records[0]?.outcome.events.map(({ type }) => type)).toContain('dropped');
    const anthropic = await startLane({ vendor: () => ({ body: SAID }) });
    const second = await anthropic.ask('/v1/messages', { ...MESSAGES, top_k: 5, metadata: { user_id: 'u' } });
    expect(second.headers['x-hubgate-dropped']).toMatch(/\btop_k\b/);
  });

  it('estimates and flags what the vendor does not say', async () => {
    const lane = await startLane({ providers: { main: VENDORS['anthropic-messages'] }, vendor: () => ({ body: answer }) });
    const { json } = await lane.ask('/v1/chat/completions', CHAT);
    const usage = lane.records[0]?.outcome.usage;
    expect(usage).toMatchObject({ estimated: true });
    expect(json['usage']).toMatchObject({ prompt_tokens: usage?.inputTokens, completion_tokens: usage?.outputTokens });
  });

  it.each(['not json', '[]', '{}', '{"type":"error","error":{"type":"overloaded_error","message":"x"}}'])(
    'an answer that is none is upstream_failed, not an empty one: %s',
    async (body) => {
      const lane = await startLane({ providers: { main: VENDORS['anthropic-messages'] }, vendor: () => ({ body }) });
      const { status, json } = await lane.ask('/v1/chat/completions', CHAT);
      expect(status).toBeGreaterThanOrEqual(500);
      expect(json['error']).toMatchObject({ type: 'server_error' });
    },
  );

  it('a stream that is answered with something else is upstream_failed, and its body is let go', async () => {
    let left = false;
    const lane = await startLane({
      providers: { main: VENDORS['anthropic-messages'] },
      vendor: () => ({
        headers: { 'content-type': 'text/html' },
        body: {
          [Symbol.asyncIterator]: () => ({
            next: () => new Promise<never>(() => {}),
            return: () => {
              left = true;
              return Promise.resolve({ done: true as const, value: undefined });
            },
          }),
        } as AsyncIterable<Buffer>,
      }),
    });
    const { status } = await lane.ask('/v1/chat/completions', { ...CHAT, stream: true });
    expect(status).toBe(502);
    expect(left).toBe(true);
  });
});
