import { describe, expect, it } from 'vitest';
import { startLane } from '../doors/start-lane.ts';
import { MESSAGES, VENDORS } from '../doors/streams.ts';
import type { UpstreamRequest } from '../../../../../src/core/upstream.ts';

const PATH = '/v1/messages/count_tokens';
const ASK = { model: 'claude-9', messages: MESSAGES.messages };
const sent = (requests: readonly UpstreamRequest[]): unknown => JSON.parse(Buffer.from(requests.at(-1)!.body as Uint8Array).toString());

describe('count_tokens', () => {
  it('passes to Anthropic, with what its client says of the API', async () => {
    const lane = await startLane({ providers: { main: VENDORS['anthropic-messages'] }, vendor: () => ({ body: '{"input_tokens": 12}' }) });
    const answer = await lane.ask(PATH, ASK, { 'anthropic-version': '2026-10-21', 'anthropic-beta': 'x' });
    expect(answer.text).toBe('{"input_tokens": 12}');
    expect(lane.requests[0]).toMatchObject({
      path: '/v1/messages/count_tokens',
      headers: { 'anthropic-version': '2026-10-21', 'anthropic-beta': 'x' },
    });
    expect(sent(lane.requests)).toEqual(ASK);
  });

  it('forces the model of the route', async () => {
    const models = [{ name: 'claude-9', targets: [{ provider: 'main', model: 'claude-real' }] }];
    const lane = await startLane({
      providers: { main: VENDORS['anthropic-messages'] },
      models,
      vendor: () => ({ body: { input_tokens: 1 } }),
    });
    await lane.ask(PATH, ASK);
    expect(sent(lane.requests)).toEqual({ ...ASK, model: 'claude-real' });
  });

  it.each([
    ['gemini', { totalTokens: 12 }],
    ['bedrock-converse', { inputTokens: 12 }],
  ] as const)('is translated for %s', async (format, body) => {
    const lane = await startLane({ providers: { main: VENDORS[format] }, vendor: () => ({ body }) });
    const answer = await lane.ask(PATH, ASK);
    expect(answer.json).toEqual({ input_tokens: 12 });
    expect(JSON.stringify(sent(lane.requests))).toContain('Hello');
  });

  it.each([
    ['gemini', {}],
    ['bedrock-converse', {}],
    ['gemini', { totalTokens: 'many' }],
  ] as const)('fails where %s gives no count', async (format, body) => {
    const lane = await startLane({ providers: { main: VENDORS[format] }, vendor: () => ({ body }) });
    const { status, json } = await lane.ask(PATH, ASK);
    expect(status).toBe(502);
    expect(json).toMatchObject({ type: 'error', error: { type: 'api_error' } });
  });

  it('is estimated where nobody counts, which the record says; more text is more tokens', async () => {
    const lane = await startLane({ vendor: () => ({ body: {} }) });
    const short = await lane.ask(PATH, ASK);
    const long = await lane.ask(PATH, { ...ASK, system: 'word '.repeat(400) });
    expect(lane.requests).toEqual([]);
    expect(lane.records[0]?.outcome.events).toMatchObject([{ type: 'estimated' }]);
    const tokens = (json: unknown): number => (json as { input_tokens: number }).input_tokens;
    expect(Number.isInteger(tokens(short.json))).toBe(true);
    expect(tokens(long.json) - tokens(short.json)).toBeGreaterThan(300);
    expect(tokens(long.json) - tokens(short.json)).toBeLessThan(800);
  });

  it('counts a picture as a picture, not as its letters', async () => {
    const lane = await startLane({ vendor: () => ({ body: {} }) });
    const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(1_000_000) } };
    const { json } = await lane.ask(PATH, { ...ASK, messages: [{ role: 'user', content: [picture] }] });
    expect(json['input_tokens']).toBeLessThan(5_000);
  });

  it('knows no streams', async () => {
    const lane = await startLane({ vendor: () => ({ body: {} }) });
    const { headers, json } = await lane.ask(PATH, { ...ASK, stream: true });
    expect(headers['content-type']).toBe('application/json');
    expect(json).toEqual({ input_tokens: expect.any(Number) });
  });
});
