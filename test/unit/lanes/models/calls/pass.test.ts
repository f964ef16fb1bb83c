import { Secret } from '../../../../../src/core/secret.ts';
import { describe, expect, it } from 'vitest';
import { startLane } from '../doors/start-lane.ts';
import { CHAT, chunk, DONE, EVENTS, MESSAGES, piece, RESPONSES, SAID, VENDORS } from '../doors/streams.ts';
import type { UpstreamRequest } from '../../../../../src/core/upstream.ts';
import type { Asked } from '../doors/start-lane.ts';

const sent = (requests: readonly UpstreamRequest[]): string => Buffer.from(requests.at(-1)!.body as Uint8Array).toString();
const STREAM = [piece('Hi'), piece('', 'stop'), chunk({ choices: [], usage: SAID.usage }), DONE].join('');
const streams = { vendor: () => ({ headers: EVENTS, body: STREAM }) };
const forced = { models: [{ name: 'short', targets: [{ provider: 'main', model: 'org/model "x"' }] }] };

describe('the body of a request in the vendor’s own format', () => {
  it.each([
    '{"model":"gpt-9","messages":[{"role":"user","content":"Hello"}]}',
    ' {\n  "messages" : [ { "content":"Z\\u00fcrich 🌧️ \\"model\\"", "role":"user"} ],\n\t"model": "gpt-9", "seed": 12345678901234567890, "temperature": 1.0, "x_unknown": [null]}\n',
    '{"mod\\u0065l":"gpt-9","messages":[]}',
  ])('passes byte for byte: %s', async (body) => {
    const lane = await startLane({ vendor: () => ({ body: SAID }) });
    const { status } = await lane.ask('/v1/chat/completions', body);
    expect(status).toBe(200);
    expect(sent(lane.requests)).toBe(body);
  });

  it('with a forced model changes that name only', async () => {
    const lane = await startLane({ vendor: () => ({ body: SAID }), ...forced });
    const body = '{ "seed": 12345678901234567890, "mod\\u0065l" : "short" , "messages":[{"model":"short"}] }';
    expect((await lane.ask('/v1/chat/completions', body)).status).toBe(200);
    expect(sent(lane.requests)).toBe(body.replace('"short"', JSON.stringify('org/model "x"')));
    expect(lane.records[0]?.outcome.target).toMatchObject({ name: 'main/org/model "x"', upstream: 'main', model: 'org/model "x"' });
  });

  it.each(['{"model":"gpt-9","messages":[],"model":"gpt-secret"}', '{"model":"gpt-secret","messages":[],"mod\\u0065l":"gpt-9"}'])(
    'with the model twice is refused, as two readers would see two models: %s',
    async (body) => {
      for (const [path, more] of [
        ['/v1/chat/completions', {}],
        ['/v1/embeddings', {}],
        ['/v1/messages', { providers: { main: VENDORS['anthropic-messages'] } }],
        ['/v1/messages/count_tokens', { providers: { main: VENDORS['anthropic-messages'] } }],
      ] as const) {
        const lane = await startLane({ vendor: () => ({ body: SAID }), ...more });
        const { status } = await lane.ask(
          path,
          body.replace('"messages":[]', '"max_tokens":1,"input":"x","messages":[{"role":"user","content":"x"}]'),
        );
        expect({ path, status, sent: lane.requests.length }).toEqual({ path, status: 400, sent: 0 });
      }
    },
  );

  it.each([
    [
      '{"model":"gpt-9","messages":[],"stream":true}',
      '{"stream_options":{"include_usage":true},"model":"gpt-9","messages":[],"stream":true}',
    ],
    ['{"model":"gpt-9","messages":[],"stream":true,"stream_options":{"include_usage":true}}', undefined],
    [
      '{"model":"gpt-9","messages":[],"stream":true,"stream_options":{"include_obfuscation":false,"include_usage":false}}',
      '{"model":"gpt-9","messages":[],"stream":true,"stream_options":{"include_obfuscation":false,"include_usage":true}}',
    ],
    [
      '{"model":"gpt-9","messages":[],"stream":true,"stream_options":null}',
      '{"model":"gpt-9","messages":[],"stream":true,"stream_options":{"include_usage":true}}',
    ],
    ['{"model":"gpt-9","messages":[],"stream":false}', undefined],
  ])('asks a stream for usage: %s', async (body, expected = body) => {
    const lane = await startLane({ vendor: () => (body.includes('"stream":true') ? streams.vendor() : { body: SAID }) });
    await lane.ask('/v1/chat/completions', body);
    expect(sent(lane.requests)).toBe(expected);
    expect(lane.records[0]?.outcome.usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
  });

  it('asks no other format for it', async () => {
    const body = '{"model":"gpt-9","input":"Hello","stream":true}';
    const lane = await startLane({ providers: { main: VENDORS['openai-responses'] }, vendor: () => ({ headers: EVENTS, body: '' }) });
    await lane.ask('/v1/responses', body);
    expect(sent(lane.requests)).toBe(body);
  });

  it('is without what the vendor refuses, and the answer says so', async () => {
    const providers = { main: { type: 'groq', apiKey: undefined } } as never;
    const { default: groq } = await import('../../../../../src/lanes/models/providers/groq.ts');
    const provider = await groq.create({}, undefined as never);
    const refused = provider.chat[0]?.refuses ?? [];
    expect(refused.length).toBeGreaterThan(0);
    const lane = await startLane({ providers, vendor: () => ({ body: SAID }) });
    const answer = await lane.ask('/v1/chat/completions', { ...CHAT, [refused[0]!]: 1, x_unknown: 2 });
    expect(JSON.parse(sent(lane.requests))).toEqual({ ...CHAT, x_unknown: 2 });
    expect(answer.headers['x-hubgate-dropped']).toBe(refused[0]);
  });

  it('is adapted where the vendor has its own way', async () => {
    const providers = {
      main: { type: 'vertex', api: 'anthropic', project: 'p', apiKey: new Secret('token'), baseUrl: 'http://vendor.test' },
    };
    const lane = await startLane({ providers, vendor: () => ({ body: {} }) });
    await lane.ask('/v1/messages', MESSAGES);
    const { model: _, ...rest } = MESSAGES;
    expect(JSON.parse(sent(lane.requests))).toEqual({ anthropic_version: 'vertex-2023-10-16', ...rest });
    expect(lane.requests[0]?.path).toContain('/models/gpt-9:rawPredict');
  });
});

describe('the answer', () => {
  it('whole passes byte for byte', async () => {
    const body = ` ${JSON.stringify({ ...SAID, x_extra: { a: 1.0 } }, null, 3)}\n`;
    const lane = await startLane({ vendor: () => ({ headers: { 'content-encoding': 'identity', 'x-vendor': 'secret' }, body }) });
    const answer = await lane.ask('/v1/chat/completions', CHAT);
    expect(answer.text).toBe(body);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(answer.headers['x-vendor']).toBeUndefined();
    expect(lane.records[0]?.outcome).toMatchObject({
      ok: true,
      streamed: false,
      modelServed: 'gpt-9-2026',
      usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 },
    });
  });

  it('streamed passes byte for byte, but for usage that was not asked for', async () => {
    const lane = await startLane(streams);
    const plain = await lane.ask('/v1/chat/completions', { ...CHAT, stream: true });
    expect(plain.text).toBe(STREAM.replace(chunk({ choices: [], usage: SAID.usage }), ''));
    const asked = await lane.ask('/v1/chat/completions', { ...CHAT, stream: true, stream_options: { include_usage: true } });
    expect(asked.text).toBe(STREAM);
    for (const { outcome } of lane.records) expect(outcome.usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
  });

  it.each([
    ['/v1/chat/completions', CHAT, 'openai-chat'],
    ['/v1/responses', RESPONSES, 'openai-responses'],
    ['/v1/messages', MESSAGES, 'anthropic-messages'],
  ] as const)('%s that is cut keeps what was used, by an estimate', async (path, body, format) => {
    const start = {
      'openai-chat': piece('Hi'),
      'openai-responses': 'event: x\ndata: {}\n\n',
      'anthropic-messages': 'event: content_block_start\ndata: {"type":"content_block_start"}\n\n',
    };
    const lane = await startLane({ providers: { main: VENDORS[format] }, vendor: () => ({ headers: EVENTS, body: start[format] }) });
    const { text } = await lane.ask(path, { ...body, stream: true });
    expect(text.startsWith(start[format])).toBe(true);
    expect(lane.records[0]?.outcome).toMatchObject({ ok: false, error: { code: 'upstream_cut' }, usage: { estimated: true } });
    expect(lane.records[0]?.outcome.usage?.inputTokens).toBeGreaterThan(0);
  });
});

describe('headers', () => {
  it('of the caller do not reach the vendor, but for those its format defines', async () => {
    const lane = await startLane({ providers: { main: VENDORS['anthropic-messages'] }, vendor: () => ({ body: {} }) });
    const headers = {
      authorization: 'Bearer hg_secret',
      'x-api-key': 'hg_secret',
      cookie: 'a=b',
      'anthropic-beta': 'b-1',
      'anthropic-version': '2023-06-01',
    };
    await lane.ask('/v1/messages', MESSAGES, headers);
    expect(lane.requests[0]?.headers).toEqual({
      'content-type': 'application/json',
      'anthropic-beta': 'b-1',
      'anthropic-version': '2023-06-01',
    });
    const openai = await startLane({ vendor: () => ({ body: SAID }) });
    await openai.ask('/v1/chat/completions', CHAT, headers);
    expect(openai.requests[0]?.headers).toEqual({ 'content-type': 'application/json' });
  });

  it('of an account are sent, and are not the caller’s to change', async () => {
    const { Secret } = await import('../../../../../src/core/secret.ts');
    const providers = {
      main: { type: 'openai', apiKey: new Secret('sk-own'), headers: { 'X-Team': new Secret('t') }, baseUrl: 'http://vendor.test/v1' },
    };
    const lane = await startLane({ providers, vendor: () => ({ body: SAID }) });
    const answer: Asked = await lane.ask('/v1/chat/completions', CHAT, { 'x-team': 'mine' });
    expect(answer.status).toBe(200);
    expect(lane.requests[0]?.headers).toEqual({ 'content-type': 'application/json', authorization: 'Bearer sk-own', 'x-team': 't' });
    expect(lane.requests[0]).toMatchObject({
      origin: 'http://vendor.test',
      path: '/v1/chat/completions',
      trust: 'operator',
      method: 'POST',
    });
  });
});
