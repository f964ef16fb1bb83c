import { describe, expect, it } from 'vitest';
import { startLane } from './start-lane.ts';
import { CHAT, chunk, DONE, EVENTS, inPieces, MESSAGES, NAMES, piece, RESPONSES, transcript, VENDORS } from './streams.ts';

const DOORS = [
  { path: '/v1/chat/completions', body: CHAT, format: 'openai-chat' },
  { path: '/v1/responses', body: RESPONSES, format: 'openai-responses' },
  { path: '/v1/messages', body: MESSAGES, format: 'anthropic-messages' },
] as const;

describe.each(DOORS)('a stream at $path', ({ path, body, format }) => {
  it.each(NAMES)('is complete and in order whatever was waited for: %s, in any pieces', async (name) => {
    for (const sizes of [[1_000_000], [1], [50, 3]]) {
      const stream = transcript(format, name);
      const lane = await startLane({
        providers: { main: VENDORS[format] },
        vendor: () => ({ headers: EVENTS, body: inPieces(stream, sizes) }),
      });
      // Usage that the caller did not ask for is taken out of OpenAI's chat, so it is asked for.
      const more = format === 'openai-chat' ? { stream_options: { include_usage: true } } : {};
      const { text } = await lane.ask(path, { ...body, ...more, stream: true });
      expect(text).toBe(stream.toString());
    }
  });
});

it.each([
  [
    '/v1/messages',
    MESSAGES,
    VENDORS['anthropic-messages'],
    'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":1}}}\n\nevent: ping\ndata: {"type":"ping"}\n\n',
  ],
  [
    '/v1/chat/completions',
    CHAT,
    VENDORS['openai-chat'],
    chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] }),
  ],
  ['/v1/responses', RESPONSES, VENDORS['openai-responses'], 'event: response.created\ndata: {"type":"response.created","response":{}}\n\n'],
] as const)('a vendor of %s who has only taken the request may still be left for another', async (path, body, provider, preamble) => {
  let turn = 0;
  const lane = await startLane({
    providers: { a: provider, b: VENDORS['openai-chat'] },
    models: [{ name: 'gpt-9', targets: [{ provider: 'a' }], fallback: [{ provider: 'b' }], retries: 0 }],
    vendor: () => ({ headers: EVENTS, body: turn++ === 0 ? preamble : piece('Hello', 'stop') + DONE }),
  });
  const { status, text } = await lane.ask(path, { ...body, stream: true });
  expect([status, lane.requests.length, lane.records[0]!.outcome.ok]).toEqual([200, 2, true]);
  expect(text).toContain('Hello');
  expect(
    text.match(/message_start"|"role":"assistant","content":""|response\.created"/g)?.length ?? 0,
    'nothing of the first got out',
  ).toBeLessThanOrEqual(1);
});
