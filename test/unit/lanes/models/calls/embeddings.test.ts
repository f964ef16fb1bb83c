import { describe, expect, it } from 'vitest';
import { startLane } from '../doors/start-lane.ts';
import { VENDORS } from '../doors/streams.ts';

const ASK = { model: 'embed-1', input: ['one two', 'three'] };
const VECTORS = [
  [0.25, -1.5, 3],
  [0.1, 0.2, 1e-9],
];
const gemini = { providers: { main: VENDORS.gemini }, vendor: () => ({ body: { embeddings: VECTORS.map((values) => ({ values })) } }) };

describe('embeddings', () => {
  it('of a vendor who speaks OpenAI pass byte for byte', async () => {
    const body = `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10000000000000000001]}],"model":"embed-1","usage":{"prompt_tokens":4,"total_tokens":4}}\n`;
    const lane = await startLane({ vendor: () => ({ body }) });
    const text = ' {"input":["one two","three"], "model":"embed-1","encoding_format":"float"}';
    const answer = await lane.ask('/v1/embeddings', text);
    expect(answer.text).toBe(body);
    expect(Buffer.from(lane.requests[0]!.body as Uint8Array).toString()).toBe(text);
    expect(lane.records[0]?.outcome.usage).toEqual({ inputTokens: 4, totalTokens: 4 });
  });

  it.each([
    '"usage":{"total_tokens":4,"prompt_tokens":4}',
    '"usage" : {\n "prompt_audio_seconds": null, "prompt_tokens": 4, "total_tokens": 4 }',
    '"usage":{"prompt_tokens":4,"total_tokens":4},"model":"embed-1"',
  ])('usage is found as vendors write it: %s', async (usage) => {
    const lane = await startLane({ vendor: () => ({ body: `{"object":"list","data":[],${usage}}` }) });
    await lane.ask('/v1/embeddings', ASK);
    expect(lane.records[0]?.outcome.usage).toEqual({ inputTokens: 4, totalTokens: 4 });
  });

  it('are counted by an estimate where the vendor says nothing', async () => {
    const lane = await startLane({ vendor: () => ({ body: { object: 'list', data: [] } }) });
    await lane.ask('/v1/embeddings', ASK);
    expect(lane.records[0]?.outcome.usage).toMatchObject({ estimated: true, outputTokens: 0 });
    expect(lane.records[0]?.outcome.usage?.inputTokens).toBeGreaterThan(0);
  });

  it('of other vendors are the same as text and as numbers', async () => {
    const lane = await startLane(gemini);
    const float = await lane.ask('/v1/embeddings', ASK);
    const packed = await lane.ask('/v1/embeddings', { ...ASK, encoding_format: 'base64' });
    const plain = float.json['data'] as { embedding: number[]; index: number; object: string }[];
    expect(plain.map(({ embedding }) => embedding)).toEqual(VECTORS);
    expect(plain.map(({ index, object }) => [index, object])).toEqual([
      [0, 'embedding'],
      [1, 'embedding'],
    ]);
    const unpacked = (packed.json['data'] as { embedding: string }[]).map(({ embedding }) => {
      const bytes = Buffer.from(embedding, 'base64');
      return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
    });
    expect(unpacked).toEqual(VECTORS.map((vector) => [...Float32Array.from(vector)]));
    expect(float.json).toMatchObject({ object: 'list', model: 'embed-1', usage: { prompt_tokens: expect.any(Number) } });
  });

  it('of a vendor who makes none are refused before anything is sent', async () => {
    const lane = await startLane({ providers: { main: VENDORS['anthropic-messages'] }, vendor: () => ({ body: {} }) });
    const { status, json } = await lane.ask('/v1/embeddings', ASK);
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: { type: 'invalid_request_error', message: expect.stringContaining('embed-1') } });
    expect(lane.requests).toEqual([]);
  });

  it('know no streams', async () => {
    const lane = await startLane({ vendor: () => ({ body: { object: 'list', data: [] } }) });
    const { headers, json } = await lane.ask('/v1/embeddings', { ...ASK, stream: true });
    expect(headers['content-type']).toBe('application/json');
    expect(json).toMatchObject({ object: 'list' });
    expect(lane.records[0]?.call.input).toMatchObject({ stream: false });
  });
});
