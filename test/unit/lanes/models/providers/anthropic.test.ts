import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../../../../src/core/chat.ts';
import type { Host } from '../../../../../src/core/contracts/extension.ts';
import type { Provider, ProviderOptions } from '../../../../../src/core/contracts/provider.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import anthropic from '../../../../../src/lanes/models/providers/anthropic.ts';
import { startMocks, type Mocks } from '../../../../support/mock-providers/server.mjs';

const made = (options: ProviderOptions = {}) => anthropic.create(options, {} as Host) as Provider;

describe('the provider anthropic', () => {
  it('is at home at Anthropic, with the key in its header', () => {
    const apiKey = new Secret('sk-ant');
    const provider = made({ apiKey });
    expect(provider.origin).toBe('https://api.anthropic.com');
    expect(provider.auth).toEqual({ type: 'header', name: 'x-api-key', value: apiKey });
    expect(provider.chat[0]?.codec.format).toBe('anthropic-messages');
    expect(provider.family('claude-opus-4-8')).toBe('anthropic');
  });

  it.each(['http://127.0.0.1:9/api/anthropic', 'http://127.0.0.1:9/api/anthropic/', 'http://127.0.0.1:9/api/anthropic/v1'])(
    'may be elsewhere, below a path: %s',
    (baseUrl) => {
      const provider = made({ baseUrl });
      expect(provider.origin).toBe('http://127.0.0.1:9');
      expect(provider.auth).toEqual({ type: 'none' });
      expect(provider.chat[0]?.address({ model: 'm', stream: true, headers: {} }).path).toBe('/api/anthropic/v1/messages');
      expect(provider.countTokens?.path('m')).toBe('/api/anthropic/v1/messages/count_tokens');
      expect(provider.models?.path).toMatch(/^\/api\/anthropic\/v1\/models\?/);
    },
  );

  it('passes version and betas of the caller on, and nothing else', () => {
    const headers = {
      'anthropic-version': '2023-06-01',
      'anthropic-beta': ['a', 'b'],
      'x-stainless-lang': 'js',
      authorization: 'Bearer hg_1',
    };
    expect(made().chat[0]?.address({ model: 'claude-opus-4-8', stream: false, headers }).headers).toEqual({
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'a,b',
    });
  });

  it('picks the version that the model is written for', () => {
    const version = (model: string) => made().chat[0]?.address({ model, stream: false, headers: {} }).headers;
    expect(version('claude-opus-4-8')).toEqual({ 'anthropic-version': '2026-10-21' });
    expect(version('claude-sonnet-4-5')).toEqual({ 'anthropic-version': '2023-06-01' });
  });

  it('lists models and says the version for what has no body of its own', () => {
    const { models, countTokens } = made();
    expect(models?.read({ data: [{ type: 'model', id: 'claude-a' }, { id: 7 }, null], has_more: false })).toEqual(['claude-a']);
    expect(models?.read({ error: {} })).toEqual([]);
    expect([models?.headers, countTokens?.headers]).toEqual([{ 'anthropic-version': '2023-06-01' }, { 'anthropic-version': '2023-06-01' }]);
  });
});

describe('a failed answer of Anthropic', () => {
  const fail = (status: number, error: unknown, headers = {}) =>
    made().readFailure(status, headers, { type: 'error', error, request_id: 'r' });

  it.each([
    [400, 'invalid_request_error', 'messages: at least one', 'model_refused', true],
    [400, 'invalid_request_error', 'prompt is too long: 2 tokens > 1 maximum', 'context_too_long', true],
    [400, 'invalid_request_error', 'input length and `max_tokens` exceed context limit: 2 + 1 > 2', 'context_too_long', true],
    [400, 'invalid_request_error', 'Output blocked by content filtering policy', 'content_refused', true],
    [400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.', 'upstream_no_credit', false],
    [401, 'authentication_error', 'invalid x-api-key', 'upstream_unauthorized', false],
    [402, 'billing_error', 'pay', 'upstream_no_credit', false],
    [403, 'permission_error', 'no', 'upstream_unauthorized', false],
    [404, 'not_found_error', 'model: x', 'model_unknown', false],
    [413, 'request_too_large', 'big', 'body_too_large', true],
    [429, 'rate_limit_error', 'slow', 'upstream_limited', false],
    [500, 'api_error', 'oops', 'upstream_failed', false],
    [504, 'timeout_error', 'late', 'upstream_timeout', false],
    [529, 'overloaded_error', 'busy', 'upstream_overloaded', false],
  ])('%d %s "%s" is %s', (status, type, message, code, shown) => {
    expect(fail(status, { type, message })).toEqual({ code, ...(shown && { message }), vendor: { type } });
  });

  it('says how long to wait, but not when money is spent', () => {
    expect(fail(429, { type: 'rate_limit_error' }, { 'retry-after': '7' })).toMatchObject({ code: 'upstream_limited', retryAfterMs: 7000 });
    expect(fail(529, { type: 'overloaded_error' }, { 'retry-after': '7', 'retry-after-ms': '250' })).toMatchObject({ retryAfterMs: 250 });
    expect(fail(429, { type: 'rate_limit_error' }, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' })).not.toHaveProperty('retryAfterMs');
    for (const error_code of ['enforced_spend_limit_reached', 'contract_spend_limit_reached', 'ramp_limit_exceeded']) {
      expect(fail(429, { type: 'rate_limit_error', message: 'm', details: { error_code } }, { 'retry-after': '7' })).toEqual({
        code: 'upstream_no_credit',
        vendor: { type: 'rate_limit_error', code: error_code },
      });
    }
  });

  it('is told by its status alone when the body says nothing', () => {
    for (const body of ['<html>Bad gateway</html>', undefined, { type: 'error' }, { error: 'x' }]) {
      expect(made().readFailure(503, {}, body)).toEqual({ code: 'upstream_overloaded' });
      expect(made().readFailure(502, {}, body)).toEqual({ code: 'upstream_failed' });
      expect(made().readFailure(422, {}, body)).toEqual({ code: 'model_refused' });
    }
  });
});

describe('against a server that refuses thinking where Anthropic does', () => {
  let mocks: Mocks;
  beforeAll(async () => void (mocks = await startMocks({ only: ['anthropic'] })));
  afterAll(() => mocks.close());

  const post = async (body: JsonObject): Promise<number> => {
    const headers = { 'x-api-key': 'k', 'anthropic-version': '2023-06-01', 'content-type': 'application/json' };
    return (await fetch(`${mocks.anthropic.url}/v1/messages`, { method: 'POST', headers, body: JSON.stringify(body) })).status;
  };
  const ask: ChatRequest = {
    model: 'claude-sonnet-4-5',
    stream: false,
    system: [],
    turns: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
    tools: [{ name: 'f' }],
    reasoning: { effort: 'low' },
    unread: [],
  };
  const loop: ChatRequest['turns'] = [
    ...ask.turns,
    { role: 'assistant', parts: [{ type: 'call', id: 'c', name: 'f', arguments: '{}' }] },
    { role: 'user', parts: [{ type: 'result', callId: 'c', parts: [{ type: 'text', text: '1' }] }] },
  ];

  it.each<[string, Partial<ChatRequest>]>([
    ['a tool must be called', { toolChoice: { type: 'required' } }],
    ['the calls came without their thinking', { turns: loop }],
  ])('a request is taken when %s', async (_why, more) => {
    const [surface] = made().chat;
    const { body } = surface!.codec.writeRequest({ ...ask, ...more }, { model: ask.model, family: 'anthropic' });
    expect(await post(body)).toBe(200);
    expect(await post({ ...body, thinking: { type: 'enabled', budget_tokens: 1024 } })).toBe(400);
  });
});
