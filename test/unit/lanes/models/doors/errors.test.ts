import { describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../../../../../src/core/errors.ts';
import { startLane } from './start-lane.ts';
import { CHAT, DONE, EVENTS, MESSAGES, piece, RESPONSES, SAID, VENDORS } from './streams.ts';

const DOORS = [
  { path: '/v1/chat/completions', body: CHAT, anthropic: false },
  { path: '/v1/responses', body: RESPONSES, anthropic: false },
  { path: '/v1/messages', body: MESSAGES, anthropic: true },
] as const;
const fails = (status: number, body: object | string, headers: Record<string, string> = {}) => ({
  vendor: () => ({ status, headers, body }),
});
const openaiError = (fields: object): object => ({
  error: { message: 'Vendor says s3cret.', type: 't', param: null, code: null, ...fields },
});

describe.each(DOORS)('a failure of the vendor at $path', ({ path, body, anthropic }) => {
  const typeOf = (json: Record<string, unknown>): unknown => (json['error'] as Record<string, unknown>)['type'];

  it.each([
    [400, openaiError({ type: 'invalid_request_error' }), 400, 400, 'invalid_request_error', 'invalid_request_error'],
    [400, openaiError({ code: 'context_length_exceeded' }), 400, 400, 't', 'invalid_request_error'],
    [404, openaiError({ code: 'model_not_found' }), 404, 404, 't', 'not_found_error'],
    [413, openaiError({}), 413, 413, 't', 'request_too_large'],
    [429, openaiError({ code: 'rate_limit_exceeded' }), 429, 429, 't', 'rate_limit_error'],
    [429, openaiError({ code: 'insufficient_quota' }), 429, 402, 't', 'billing_error'],
    [500, openaiError({}), 502, 502, 't', 'api_error'],
    [503, openaiError({}), 503, 529, 't', 'overloaded_error'],
    [504, 'upstream request timeout', 504, 504, 'server_error', 'timeout_error'],
    [502, '<html>Bad Gateway</html>', 502, 502, 'server_error', 'api_error'],
  ])('%i %j', async (status, answer, openaiStatus, anthropicStatus, openaiType, anthropicType) => {
    for (const stream of [false, true]) {
      const lane = await startLane(fails(status, answer));
      const got = await lane.ask(path, { ...body, stream });
      expect(got.status).toBe(anthropic ? anthropicStatus : openaiStatus);
      expect(got.headers['content-type']).toBe('application/json');
      expect(typeOf(got.json)).toBe(anthropic ? anthropicType : openaiType);
      expect(got.text).not.toMatch(/s3cret|html/);
      if (anthropic) expect(got.json).toMatchObject({ type: 'error', request_id: got.headers['x-request-id'] });
      if (anthropic) expect(got.headers['request-id']).toBe(got.headers['x-request-id']);
      expect(lane.records[0]?.outcome).toMatchObject({ ok: false });
      expect(lane.inside()).toBe(0);
    }
  });

  it.each([401, 403])('%i of our key is not the caller’s fault and says nothing of it', async (status) => {
    const lane = await startLane(
      fails(status, openaiError({ message: 'Incorrect API key provided: sk-abc', code: 'invalid_api_key', type: 'authentication_error' })),
    );
    const got = await lane.ask(path, body);
    expect(got.status).toBe(502);
    expect(got.headers['x-should-retry']).toBe('false');
    expect(got.text).not.toMatch(/sk-abc|Incorrect|invalid_api_key|authentication_error/);
    expect(lane.logged.join()).toContain('upstream_unauthorized');
  });

  it.each([
    [{ 'retry-after': '7' }, '7', '7000'],
    [{ 'retry-after-ms': '1500', 'retry-after': '9' }, '2', '1500'],
  ])('a limit tells when: %j', async (headers, seconds, milliseconds) => {
    const lane = await startLane(fails(429, openaiError({ code: 'rate_limit_exceeded' }), headers));
    const got = await lane.ask(path, body);
    expect(got.headers).toMatchObject({ 'retry-after': seconds, 'retry-after-ms': milliseconds });
    expect(got.headers['x-should-retry']).toBeUndefined();
  });

  it('a limit tells when, by a date', async () => {
    const lane = await startLane(fails(429, openaiError({}), { 'retry-after': new Date(Date.now() + 30_000).toUTCString() }));
    const wait = Number((await lane.ask(path, body)).headers['retry-after']);
    expect(wait).toBeGreaterThan(25);
    expect(wait).toBeLessThanOrEqual(30);
  });

  it('money that has run out is no reason to try again', async () => {
    const lane = await startLane(fails(429, openaiError({ code: 'insufficient_quota' })));
    const got = await lane.ask(path, body);
    expect(got.headers['x-should-retry']).toBe('false');
  });

  it('in the middle of a stream is the error event of the format, and nothing after it', async () => {
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from(piece('Hi'));
      await Promise.resolve();
      throw new GatewayError('upstream_timeout', 'vendor.test stopped in the middle of its answer.');
    };
    const lane = await startLane({ vendor: () => ({ headers: EVENTS, body: broken() }) });
    const got = await lane.ask(path, { ...body, stream: true });
    expect(got.status).toBe(200);
    const last = got.frames.at(-1)!;
    const name = anthropic || path.endsWith('responses') ? 'error' : undefined;
    expect(last.event).toBe(name);
    expect(JSON.stringify(last.data)).toContain('stopped in the middle');
    expect(got.text).not.toContain('[DONE]');
    expect(got.frames.filter(({ data }) => JSON.stringify(data).includes('stopped in the middle'))).toEqual([last]);
    expect(got.broken).toBe(false);
  });

  it('of the hub itself tells nothing and is logged', async () => {
    const lane = await startLane({
      vendor: () => {
        throw new TypeError('a bug with inner-words in it');
      },
    });
    const got = await lane.ask(path, body);
    expect(got.status).toBe(500);
    expect(got.text).not.toContain('inner-words');
    expect(lane.logged.join()).toContain('inner-words');
  });
});

describe.each(DOORS)('a request that cannot be taken at $path', ({ path, body, anthropic }) => {
  it.each([
    ['no JSON', '{"model":', 400],
    ['a list', '[1]', 400],
    ['no model', '{"messages":[]}', 400],
    ['a model that is no text', '{"model":7}', 400],
    ['an empty model', '{"model":""}', 400],
    ['a model that is a path', '{"model":".."}', 400],
    ['too deep', `{"model":"m","x":${'['.repeat(100)}${']'.repeat(100)}}`, 400],
  ])('%s', async (_, text, status) => {
    const lane = await startLane({ vendor: () => ({ body: SAID }) });
    const got = await lane.ask(path, text);
    expect(got.status).toBe(status);
    expect(got.json).toMatchObject(
      anthropic ? { type: 'error', error: { type: 'invalid_request_error' } } : { error: { type: 'invalid_request_error' } },
    );
    expect(lane.requests).toEqual([]);
    expect(lane.inside()).toBe(0);
  });

  it('of another content type', async () => {
    const lane = await startLane({ vendor: () => ({ body: SAID }) });
    for (const type of ['text/plain', 'application/jsonx', 'multipart/form-data']) {
      const got = await lane.ask(path, body, { 'content-type': type });
      expect(got.status).toBe(415);
      expect(got.json['error']).toBeDefined();
    }
    expect((await lane.ask(path, body, { 'content-type': 'application/json; charset=utf-8' })).status).not.toBe(415);
  });

  it('for a model that nobody serves', async () => {
    const lane = await startLane({ vendor: () => ({ body: SAID }), models: [{ name: 'only', targets: [{ provider: 'main' }] }] });
    const got = await lane.ask(path, { ...body, model: 'x'.repeat(500) });
    expect(got.status).toBe(404);
    expect(got.text.length).toBeLessThan(500);
    expect(lane.records).toMatchObject([
      { call: { route: '', operation: expect.any(String) }, outcome: { error: { code: 'model_unknown' } } },
    ]);
    const long = await lane.ask(path, { ...body, model: 'x'.repeat(5_000) });
    expect([long.status, long.text.length < 500]).toEqual([400, true]);
    expect(got.json['error']).toMatchObject(anthropic ? { type: 'not_found_error' } : { code: 'model_not_found' });
  });
});

describe('GET /v1/models', () => {
  const parts = {
    models: [
      { name: 'support', targets: [{ provider: 'main', model: 'gpt-9' }] },
      { match: { model: 'gpt-*' }, targets: [{ provider: 'main' }] },
      { match: { model: 'hidden', consumer: 'alice' }, targets: [{ provider: 'main' }] },
    ],
    vendor: () => ({ body: { data: [{ id: 'gpt-9' }, { id: 'org/other' }, { id: 'gpt-8/x' }] } }),
  };

  it('lists what a caller may call, in the words of both formats', async () => {
    const lane = await startLane(parts);
    const openai = await lane.ask('/v1/models', undefined);
    expect((openai.json['data'] as { id: string }[]).map(({ id }) => id)).toEqual(['support', 'gpt-9', 'gpt-8/x']);
    expect(openai.json).toMatchObject({ object: 'list', data: [{ object: 'model', owned_by: 'main', created: 0 }, {}, {}] });
    const anthropic = await lane.ask('/v1/models', undefined, { 'anthropic-version': '2023-06-01' });
    expect(anthropic.json).toMatchObject({
      has_more: false,
      first_id: 'support',
      last_id: 'gpt-8/x',
      data: [{ type: 'model', id: 'support' }, {}, {}],
    });
    const alice = await startLane({ ...parts, consumer: { name: 'alice', groups: [], anonymous: false } });
    expect((await alice.ask('/v1/models', undefined)).text).toContain('"hidden"');
  });

  it('finds one, whatever its name is made of', async () => {
    const lane = await startLane(parts);
    expect((await lane.ask('/v1/models/gpt-8/x', undefined)).json).toMatchObject({ id: 'gpt-8/x', object: 'model' });
    expect((await lane.ask('/v1/models/gpt-8%2Fx', undefined)).json).toMatchObject({ id: 'gpt-8/x' });
    for (const name of ['none', '%25', 'a%2525', '%E4%B8%9C']) {
      const got = await lane.ask(`/v1/models/${name}`, undefined);
      expect({ name, status: got.status }).toEqual({ name, status: 404 });
    }
  });

  it('is without the models of a vendor who does not answer, who is asked again after a while', async () => {
    let works = false;
    const now = vi.spyOn(Date, 'now');
    const lane = await startLane({ ...parts, vendor: () => (works ? parts.vendor() : { status: 500, body: {} }) });
    const ids = async (): Promise<string[]> =>
      ((await lane.ask('/v1/models', undefined)).json['data'] as { id: string }[]).map(({ id }) => id);
    expect(await ids()).toEqual(['support']);
    works = true;
    expect(await ids()).toEqual(['support']);
    now.mockReturnValue(performance.timeOrigin + performance.now() + 31_000);
    expect(await ids()).toEqual(['support', 'gpt-9', 'gpt-8/x']);
    expect(await ids()).toHaveLength(3);
    expect(lane.requests).toHaveLength(2);
    now.mockRestore();
  });
});

it('streams end with one [DONE] and leave no call behind', async () => {
  const lane = await startLane({
    vendor: () => ({ headers: EVENTS, body: piece('Hi', 'stop') + DONE }),
    providers: { main: VENDORS['openai-chat'] },
  });
  const got = await Promise.all(Array.from({ length: 20 }, () => lane.ask('/v1/chat/completions', { ...CHAT, stream: true })));
  for (const { text } of got) expect(text).toBe(piece('Hi', 'stop') + DONE);
  expect(lane.inside()).toBe(0);
  expect(lane.records).toHaveLength(20);
});
