import { describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../../../../../src/core/errors.ts';
import { startLane, type Vendor } from './start-lane.ts';

/** Vectors of one number, the length of the text, in another order than that of the texts. */
const vendor: Vendor = ({ body }) => {
  const { input } = JSON.parse(String(body)) as { input: string[] };
  const data = input.map((text, index) => ({ object: 'embedding', index, embedding: [text.length] })).toReversed();
  return { body: { object: 'list', model: 'embed-3', data, usage: { prompt_tokens: 5, total_tokens: 5 } } };
};

describe('embeddings of the hub itself', () => {
  it('go through the route of the model, and are a call like any other: with its consumer, usage and record', async () => {
    const { lane, records, requests, inside } = await startLane({ vendor });
    expect(await lane.embed('vectors', ['a', 'ccc', 'bb'])).toEqual({ model: 'embed-3', vectors: [[1], [3], [2]] });
    expect(requests).toHaveLength(1);
    const [{ call, outcome }] = records as [(typeof records)[number]];
    expect(call).toMatchObject({ operation: 'embeddings', consumer: { name: 'hub:embedding', anonymous: false } });
    expect(outcome).toMatchObject({ ok: true, usage: { inputTokens: 5 } });
    expect(inside()).toBe(0);
  });

  it('are under the policies of the route', async () => {
    const refuse = { name: 'no', stage: 'limit', hooks: { onCall: () => Promise.reject(new GatewayError('limit_exceeded')) } } as const;
    const { lane, requests, records } = await startLane({ vendor, policies: [refuse] });
    await expect(lane.embed('vectors', ['a'])).rejects.toMatchObject({ code: 'limit_exceeded' });
    expect(requests).toEqual([]);
    expect(records[0]?.outcome).toMatchObject({ ok: false });
  });

  it('are cancelled at the vendor when nobody waits any more', async () => {
    const heard = Promise.withResolvers<never>();
    const { lane, requests, inside } = await startLane({
      vendor: (_, signal) => {
        signal!.addEventListener('abort', { handleEvent: () => heard.reject(signal!.reason as Error) });
        return heard.promise;
      },
    });
    const waiting = new AbortController();
    const answer = lane.embed('vectors', ['a'], waiting.signal);
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    waiting.abort();
    await expect(answer).rejects.toMatchObject({ code: 'client_closed' });
    expect(inside()).toBe(0);
  });

  it('reject where no route takes the model', async () => {
    const { lane, inside } = await startLane({ vendor, models: [{ match: { model: 'other' }, targets: [{ provider: 'main' }] }] });
    await expect(lane.embed('vectors', ['a'])).rejects.toMatchObject({ code: 'model_unknown' });
    expect(inside()).toBe(0);
  });

  it.each([
    ['too few', [{ index: 0, embedding: [1] }]],
    ['none', undefined],
    ['one twice', [0, 0].map((index) => ({ index, embedding: [1] }))],
    ['no numbers', [0, 1].map((index) => ({ index, embedding: ['x'] }))],
    ['far too many', [0, 1, 2].map((index) => ({ index, embedding: [1] }))],
  ])('reject an answer with %s vectors', async (_, data) => {
    const { lane } = await startLane({ vendor: () => ({ body: { object: 'list', data, usage: { prompt_tokens: 1 } } }) });
    await expect(lane.embed('vectors', ['a', 'b'])).rejects.toMatchObject({ code: 'upstream_failed' });
  });
});
