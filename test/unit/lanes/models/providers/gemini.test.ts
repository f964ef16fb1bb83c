import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ChatEvent, ChatRequest, ModelFailure } from '../../../../../src/core/chat.ts';
import type { Host } from '../../../../../src/core/contracts/extension.ts';
import type { Provider, ProviderOptions } from '../../../../../src/core/contracts/provider.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import { geminiFailure } from '../../../../../src/lanes/models/providers/_gemini-failure.ts';
import gemini from '../../../../../src/lanes/models/providers/gemini.ts';
import { startMocks, type Mocks } from '../../../../support/mock-providers/server.mjs';

const open = async (options: ProviderOptions): Promise<Provider> => gemini.create(options, {} as Host);
const asked = (stream: boolean, model = 'gemini-mock') => ({ model, stream, headers: {} });
const ask: ChatRequest = {
  model: 'gemini-mock',
  stream: false,
  system: [{ type: 'text', text: 'Be brief.' }],
  turns: [{ role: 'user', parts: [{ type: 'text', text: 'Call weather with args={"city":"Köln"}' }] }],
  tools: [{ name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }],
  reasoning: { effort: 'low' },
  unread: [],
};

describe('the Gemini API', () => {
  it('is where Google has it, with the key in its header', async () => {
    const provider = await open({ apiKey: new Secret('k') });
    const [surface] = provider.chat;
    expect(provider.origin).toBe('https://generativelanguage.googleapis.com');
    expect(provider.auth).toEqual({ type: 'header', name: 'x-goog-api-key', value: expect.any(Secret) });
    expect(surface?.address(asked(false, 'gemini-3.5-flash')).path).toBe('/v1beta/models/gemini-3.5-flash:generateContent');
    expect(surface?.address(asked(true, 'a/b c')).path).toBe('/v1beta/models/a%2Fb%20c:streamGenerateContent?alt=sse');
    expect(provider.embeddings?.address(asked(false, 'e')).path).toBe('/v1beta/models/e:batchEmbedContents');
    expect(provider.family('gemini-3.5-flash')).toBe('gemini');
  });

  it('wants a key where Google has it', async () => {
    await expect(open({})).rejects.toMatchObject({ code: 'bad_request', message: expect.stringMatching(/^apiKey is needed/) });
  });

  it.each(['http://127.0.0.1:9/gw/', 'http://127.0.0.1:9/gw/v1beta'])('may be elsewhere, below a path: %s', async (baseUrl) => {
    const provider = await open({ baseUrl });
    expect([provider.origin, provider.auth]).toEqual(['http://127.0.0.1:9', { type: 'none' }]);
    expect(provider.chat[0]?.address(asked(false, 'm')).path).toBe('/gw/v1beta/models/m:generateContent');
    expect(provider.models?.path).toBe('/gw/v1beta/models?pageSize=1000');
    expect(provider.countTokens?.path('m')).toBe('/gw/v1beta/models/m:countTokens');
  });
});

describe('against a server that refuses what Google refuses', () => {
  let mocks: Mocks;
  beforeAll(async () => (mocks = await startMocks({ only: ['gemini'] })));
  afterAll(() => mocks.close());
  beforeEach(() => mocks.reset());

  async function send(path: string, body?: JsonObject, key = 'k'): Promise<Response> {
    const { url } = mocks.gemini;
    const headers = { 'x-goog-api-key': key, 'content-type': 'application/json' };
    return fetch(url + path, body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) });
  }

  const provider = (): Promise<Provider> => open({ baseUrl: mocks.gemini.url, apiKey: new Secret('k') });

  it('a tool is called and its answer sent back, whole and as a stream', async () => {
    // Of this generation the server checks the signatures.
    const model = 'gemini-3-mock';
    const [surface] = (await provider()).chat;
    const { codec, address } = surface!;
    const { body } = codec.writeRequest(ask, { model, family: 'gemini' });
    const reply = codec.readReply((await (await send(address(asked(false, model)).path, body)).json()) as JsonObject, 'gemini');
    expect(reply).toMatchObject({
      parts: [
        { type: 'reasoning' },
        { type: 'call', name: 'weather', arguments: '{"city":"Köln"}', seal: { family: 'gemini', value: expect.any(String) } },
      ],
      finish: 'tool_calls',
    });

    const call = reply.parts[1]!;
    const result = { type: 'result', callId: call.type === 'call' ? call.id : '', parts: [{ type: 'text', text: 'sunny' }] } as const;
    const next = codec.writeRequest(
      { ...ask, turns: [...ask.turns, { role: 'assistant', parts: reply.parts }, { role: 'user', parts: [result] }] },
      { model, family: 'gemini' },
    );
    const reader = codec.streamReader('gemini');
    const wire = await (await send(address(asked(true, model)).path, next.body)).text();
    const frames = wire.split('\r\n\r\n').filter((frame) => frame !== '');
    const events: ChatEvent[] = frames.flatMap((frame) => reader.read({ data: frame.slice('data: '.length) }));
    events.push(...reader.close());
    const text = events.map((event) => (event.type === 'text' ? event.text : '')).join('');
    expect(text).toContain('sunny');
    expect(events.at(0)).toEqual({ type: 'start', id: 'mock', model });
    expect(events.slice(-2)).toEqual([{ type: 'finish', finish: 'stop' }, { type: 'end' }]);
  });

  it('tokens are counted, texts embedded and models named', async () => {
    const { countTokens, embeddings, models } = await provider();
    const counted = await send(countTokens!.path('gemini-mock'), countTokens!.write!(ask));
    expect(countTokens!.read!((await counted.json()) as JsonObject)).toBe(4);
    expect(mocks.gemini.requests[0]?.body).toMatchObject({
      generateContentRequest: { model: 'models/gemini-mock', systemInstruction: {}, tools: [{}], contents: [{}] },
    });
    expect(() => countTokens!.read!({})).toThrow(expect.objectContaining({ code: 'upstream_failed' }));

    const written = embeddings!.codec!.write({ input: ['a b', 'c'], dimensions: 4 }, 'embedding-mock');
    const embedded = await send(embeddings!.address(asked(false, 'embedding-mock')).path, written.body);
    const { vectors } = embeddings!.codec!.read((await embedded.json()) as JsonObject);
    expect(vectors.map((vector) => vector.length)).toEqual([4, 4]);

    expect(models!.read((await (await send(models!.path)).json()) as JsonObject)).toEqual(['gemini-mock', 'embedding-mock']);
  });

  it.each<[string, string, string, ModelFailure['code']]>([
    ['a key that is bad', 'bad-key', 'gemini-mock', 'upstream_unauthorized'],
    ['an unknown model', 'k', 'unknown-model', 'model_unknown'],
  ])('%s is told', async (_, key, model, code) => {
    const { chat, readFailure } = await provider();
    const { body } = chat[0]!.codec.writeRequest(ask, { model, family: 'gemini' });
    const response = await send(chat[0]!.address(asked(false, model)).path, body, key);
    expect(readFailure(response.status, {}, await response.json()).code).toBe(code);
  });
});

describe('a failure of Gemini', () => {
  const error = (message: string, status = 'INVALID_ARGUMENT', ...details: object[]) => ({ error: { message, status, details } });
  const info = (name: string, fields: object) => ({ '@type': `type.googleapis.com/google.rpc.${name}`, ...fields });
  const quota = (...ids: string[]) => info('QuotaFailure', { violations: ids.map((quotaId) => ({ quotaId })) });
  const exceeded = 'You exceeded your current quota, please check your plan and billing details.';
  const tooLong = 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).';
  const exhausted = { type: 'RESOURCE_EXHAUSTED' };

  it.each<[number, unknown, ModelFailure]>([
    [400, error('Bad field.'), { code: 'model_refused', message: 'Bad field.', vendor: { type: 'INVALID_ARGUMENT' } }],
    [400, error(tooLong), { code: 'context_too_long', message: tooLong, vendor: { type: 'INVALID_ARGUMENT' } }],
    [
      400,
      error('API key not valid. Please pass a valid API key.', 'INVALID_ARGUMENT', info('ErrorInfo', { reason: 'API_KEY_INVALID' })),
      { code: 'upstream_unauthorized', vendor: { type: 'INVALID_ARGUMENT', code: 'API_KEY_INVALID' } },
    ],
    [
      400,
      error('API key not valid. Please pass a valid API key.'),
      { code: 'upstream_unauthorized', vendor: { type: 'INVALID_ARGUMENT' } },
    ],
    [401, error('No.', 'UNAUTHENTICATED'), { code: 'upstream_unauthorized', vendor: { type: 'UNAUTHENTICATED' } }],
    [403, error('No.', 'PERMISSION_DENIED'), { code: 'upstream_unauthorized', vendor: { type: 'PERMISSION_DENIED' } }],
    [
      403,
      error('No.', 'PERMISSION_DENIED', info('ErrorInfo', { reason: 'BILLING_DISABLED' })),
      { code: 'upstream_no_credit', vendor: { type: 'PERMISSION_DENIED', code: 'BILLING_DISABLED' } },
    ],
    [402, error('Pay.', 'RESOURCE_EXHAUSTED'), { code: 'upstream_no_credit', vendor: exhausted }],
    [404, error('models/x is not found', 'NOT_FOUND'), { code: 'model_unknown', vendor: { type: 'NOT_FOUND' } }],
    [413, 'too big', { code: 'body_too_large' }],
    [
      429,
      error(
        exceeded,
        'RESOURCE_EXHAUSTED',
        quota('GenerateRequestsPerMinute', 'InputTokensPerDay'),
        info('RetryInfo', { retryDelay: '3s' }),
      ),
      { code: 'upstream_limited', vendor: exhausted, retryAfterMs: 3000 },
    ],
    [
      429,
      error(exceeded, 'RESOURCE_EXHAUSTED', quota('GenerateRequestsPerDayPerProject')),
      { code: 'upstream_no_credit', vendor: exhausted },
    ],
    [429, error('Your prepayment credits are depleted.', 'RESOURCE_EXHAUSTED'), { code: 'upstream_no_credit', vendor: exhausted }],
    [429, error(`${exceeded} limit: 0`, 'RESOURCE_EXHAUSTED'), { code: 'upstream_no_credit', vendor: exhausted }],
    [500, error('Internal.', 'INTERNAL'), { code: 'upstream_failed', vendor: { type: 'INTERNAL' } }],
    [503, [error('Overloaded.', 'UNAVAILABLE')], { code: 'upstream_overloaded', vendor: { type: 'UNAVAILABLE' } }],
    [504, error('Late.', 'DEADLINE_EXCEEDED'), { code: 'upstream_timeout', vendor: { type: 'DEADLINE_EXCEEDED' } }],
    [502, '<html>', { code: 'upstream_failed' }],
    [418, null, { code: 'upstream_failed' }],
  ])('%i %j', (status, body, failure) => {
    expect(geminiFailure(status, {}, body)).toEqual(failure);
  });

  it.each<[Record<string, string>, string | undefined, number | undefined]>([
    [{}, '0.5s', 500],
    [{}, '1.0004s', 1001],
    [{ 'retry-after': '2' }, undefined, 2000],
    [{ 'retry-after': '2', 'retry-after-ms': '250' }, undefined, 250],
    [{ 'retry-after': '2' }, '7s', 7000],
    [{ 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, undefined, undefined],
    [{}, 'soon', undefined],
  ])('with %j and RetryInfo %s waits %s ms', (headers, retryDelay, wait) => {
    const details = retryDelay === undefined ? [] : [info('RetryInfo', { retryDelay })];
    expect(geminiFailure(429, headers, error(exceeded, 'RESOURCE_EXHAUSTED', ...details)).retryAfterMs).toBe(wait);
  });
});
