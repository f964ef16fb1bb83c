import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startLane } from './start-lane.ts';
import { VENDORS } from './streams.ts';

const EVENTS = { 'content-type': 'text/event-stream' };
const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] };
const MESSAGES = { ...CHAT, max_tokens: 10 };
const OVERLOADED = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';

describe('the record of a call', () => {
  it('of a stream whose first event is a failure has no usage: the vendor has done nothing', async () => {
    for (const path of ['/v1/messages', '/v1/chat/completions']) {
      const lane = await startLane({
        providers: { main: VENDORS['anthropic-messages'] },
        vendor: () => ({ headers: EVENTS, body: OVERLOADED }),
      });
      const answer = await lane.ask(path, { ...(path === '/v1/messages' ? MESSAGES : CHAT), stream: true });
      expect(answer.status).toBe(path === '/v1/messages' ? 529 : 503);
      expect(lane.records[0]?.outcome.error?.code).toBe('upstream_overloaded');
      expect(lane.records[0]?.outcome.usage).toBeUndefined();
      expect(lane.records[0]?.outcome.events).toMatchObject([{ type: 'failed', detail: 'main reported it in its stream' }]);
    }
  });

  it('tells the time of the first chunk, not of the head that came before it', async () => {
    const late = async function* (): AsyncGenerator<Buffer> {
      await pause(120);
      yield Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
    };
    const lane = await startLane({ vendor: () => ({ headers: EVENTS, body: late() }) });
    await lane.ask('/v1/chat/completions', { ...CHAT, stream: true });
    expect(lane.records[0]?.outcome.firstByteMs).toBeGreaterThanOrEqual(110);
  });

  it('keeps a failure of the vendor with its status, and no more of a field name than a person reads', async () => {
    const lane = await startLane({ providers: { main: VENDORS['anthropic-messages'] }, vendor: () => ({ status: 500, body: {} }) });
    const answer = await lane.ask('/v1/chat/completions', { ...CHAT, ['f'.repeat(100_000)]: 1 });
    expect(answer.json['error']).toMatchObject({ message: 'The provider failed: it answered 500.' });
    const { events } = lane.records[0]!.outcome;
    expect(events.map(({ type }) => type)).toEqual(['dropped', 'failed']);
    expect(events[0]!.detail!.length).toBeLessThanOrEqual(2_000);
    expect(events[1]!.detail).toBe('main answered 500');
  });
});

describe('what of a caller reaches a vendor', () => {
  it('is no header of another vendor’s API, where tokens are counted', async () => {
    const lane = await startLane({ providers: { main: VENDORS['gemini'] }, vendor: () => ({ body: { totalTokens: 3 } }) });
    const answer = await lane.ask('/v1/messages/count_tokens', CHAT, {
      'anthropic-beta': 'secret-beta',
      'anthropic-version': '2026-10-21',
    });
    expect(answer.json).toEqual({ input_tokens: 3 });
    expect(JSON.stringify(lane.requests)).not.toContain('secret-beta');
  });

  it('is every digit that came, where the hub asks for usage besides', async () => {
    const body = '{"model":"m","stream":true,"seed":9223372036854775807,"stream_options":{"include_usage":false},"messages":[]}';
    const lane = await startLane({ vendor: () => ({ headers: EVENTS, body: 'data: [DONE]\n\n' }) });
    await lane.ask('/v1/chat/completions', body);
    expect(String(lane.requests[0]!.body)).toBe(body.replace('{"include_usage":false}', '{"include_usage":true}'));
  });
});

describe('what of a vendor reaches a caller', () => {
  it('is no address, and no wait of years', async () => {
    const lane = await startLane({
      vendor: () => ({ status: 429, headers: { 'retry-after': '999999999' }, body: { error: { message: 'x' } } }),
    });
    expect((await lane.ask('/v1/chat/completions', CHAT)).headers['retry-after']).toBe('3600');
  });
});
