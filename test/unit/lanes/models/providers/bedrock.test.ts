import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChatEvent, ChatRequest } from '../../../../../src/core/chat.ts';
import type { Host } from '../../../../../src/core/contracts/extension.ts';
import type { Asked, Provider, ProviderOptions } from '../../../../../src/core/contracts/provider.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import bedrock from '../../../../../src/lanes/models/providers/bedrock.ts';
import { createSigV4Signer } from '../../../../../src/upstreams/auth/sigv4.ts';
import { createAwsEventStreamReader } from '../../../../../src/upstreams/aws-event-stream.ts';
import { AWS_CREDENTIALS, startMocks } from '../../../../support/mock-providers/server.mjs';
import type { Mocks } from '../../../../support/mock-providers/server.mjs';
import { http } from '../../../upstreams/upstream.ts';

const make = (options: ProviderOptions): Provider => bedrock.create(options, {} as Host) as Provider;
const asked = (model: string, stream = false): Asked => ({ model, stream, headers: {} });
const key = new Secret('key');
const signed: ProviderOptions = {
  region: 'eu-central-1',
  accessKeyId: AWS_CREDENTIALS.accessKeyId,
  secretAccessKey: new Secret(AWS_CREDENTIALS.secretAccessKey),
};
const MODEL = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0';
const ask: ChatRequest = {
  model: MODEL,
  stream: false,
  system: [{ type: 'text', text: 'be kind', cache: {} }],
  turns: [{ role: 'user', parts: [{ type: 'text', text: 'use get_weather' }] }],
  tools: [{ name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }],
  reasoning: { effort: 'low' },
  unread: [],
};

describe('bedrock', () => {
  it.each<[string, ProviderOptions, string, string]>([
    ['a region', { region: 'us-east-1', apiKey: key }, 'https://bedrock-runtime.us-east-1.amazonaws.com', '/model/m/converse'],
    ['a base URL with a path', { baseUrl: 'http://127.0.0.1:1/aws/', apiKey: key }, 'http://127.0.0.1:1', '/aws/model/m/converse'],
  ])('is at the address of %s', (_what, options, origin, path) => {
    const provider = make(options);
    expect(provider.origin).toBe(origin);
    expect(provider.chat.map((surface) => surface.address(asked('m')))).toEqual([{ path }]);
  });

  it('encodes the model, and has a path of its own for streams', () => {
    const [surface] = make({ region: 'r', apiKey: key }).chat;
    expect(surface?.address(asked('arn:aws:bedrock:r:1:inference-profile/eu.x.y-v1:0', true))).toEqual({
      path: '/model/arn%3Aaws%3Abedrock%3Ar%3A1%3Ainference-profile%2Feu.x.y-v1%3A0/converse-stream',
    });
    expect(surface).toMatchObject({ inlinesMedia: true, codec: { format: 'bedrock-converse', framing: 'aws-event-stream' } });
  });

  it('speaks the format of OpenAI when asked to', () => {
    const [surface] = make({ region: 'r', apiKey: key, api: 'openai' }).chat;
    expect(surface?.codec.format).toBe('openai-chat');
    expect(surface?.address(asked('openai.gpt-oss-120b-1:0'))).toEqual({ path: '/openai/v1/chat/completions' });
  });

  it('proves itself by a key or a signature', () => {
    expect(make({ region: 'r', apiKey: key }).auth).toEqual({ type: 'header', name: 'authorization', prefix: 'Bearer ', value: key });
    const sessionToken = new Secret('token');
    expect(make({ ...signed, sessionToken }).auth).toEqual({ type: 'sigv4', service: 'bedrock', ...signed, sessionToken });
    expect(make({ baseUrl: 'http://a' }).auth).toEqual({ type: 'none' });
  });

  it.each<[boolean, object]>([
    [true, { region: 'r', apiKey: 'k' }],
    [true, { region: 'r', accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't' }],
    [true, { baseUrl: 'http://a', apiKey: 'k' }],
    [true, { baseUrl: 'http://a' }],
    [false, { region: 'r', accessKeyId: 'a' }],
    [false, { baseUrl: 'http://a', accessKeyId: 'a', secretAccessKey: 's' }],
    [false, { region: 'r', apiKey: 'k', api: 'invoke' }],
    [false, { region: 'r', apiKey: 'k', project: 'p' }],
  ])('options: %s for %j', (valid, options) => {
    expect(new Ajv2020({ strict: false }).validate(bedrock.options, options)).toBe(valid);
  });

  it.each([
    ['anthropic.claude-3-haiku-20240307-v1:0', 'anthropic'],
    [MODEL, 'anthropic'],
    ['arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4', 'anthropic'],
    ['us.amazon.nova-pro-v1:0', 'amazon'],
    ['us.meta.llama3-1-70b-instruct-v1:0', 'meta'],
    ['deepseek.v3.1', 'deepseek'],
    ['openai.gpt-oss-120b-1:0', 'openai-open'],
    ['arn:aws:bedrock:us-east-1:1:provisioned-model/abc', 'bedrock'],
  ])('the family of %s is %s', (model, family) => {
    expect(make(signed).family(model)).toBe(family);
  });
});

describe('bedrock, what is missing', () => {
  it.each<ProviderOptions>([{}, { region: 'r' }, { apiKey: key }])('%j is too little', (options) => {
    expect(() => make(options)).toThrow(
      expect.objectContaining({ code: 'bad_request', message: expect.stringMatching(/^region is needed, and apiKey or accessKeyId/) }),
    );
  });
});

describe('bedrock, failures', () => {
  const read = (status: number, type: string | undefined, body: unknown, more = {}) =>
    make(signed).readFailure(status, { ...(type === undefined ? {} : { 'x-amzn-errortype': type }), ...more }, body);

  it.each<[number, string, string, string, boolean]>([
    [429, 'ThrottlingException', 'Too many requests', 'upstream_limited', false],
    [429, 'ModelNotReadyException', 'Not yet', 'upstream_overloaded', false],
    [400, 'ServiceQuotaExceededException', 'Quota', 'upstream_limited', false],
    [400, 'ValidationException', 'Bad field', 'model_refused', true],
    [400, 'ValidationException', 'Input is too long for requested model.', 'context_too_long', true],
    [400, 'ValidationException', 'prompt is too long: 200001 tokens > 200000 maximum', 'context_too_long', true],
    [400, 'ValidationException', 'The provided model identifier is invalid.', 'model_unknown', false],
    [400, 'ValidationException', 'Output blocked by content filtering policy', 'content_refused', true],
    [403, 'AccessDeniedException', 'You do not have access', 'upstream_unauthorized', false],
    [403, 'UnrecognizedClientException', 'token invalid', 'upstream_unauthorized', false],
    [403, 'ExpiredTokenException', 'expired', 'upstream_unauthorized', false],
    [404, 'ResourceNotFoundException', 'No such model', 'model_unknown', false],
    [408, 'ModelTimeoutException', 'Slow', 'upstream_timeout', false],
    [424, 'ModelErrorException', 'Broken', 'upstream_failed', false],
    [500, 'InternalServerException', 'Broken', 'upstream_failed', false],
    [503, 'ServiceUnavailableException', 'Busy', 'upstream_overloaded', false],
  ])('%i %s (%s) is %s', (status, type, message, code, told) => {
    const failure = { code, ...(told ? { message } : {}), vendor: { type } };
    expect(read(status, type, { message })).toEqual(failure);
    expect(read(status, `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/`, { message })).toEqual(failure);
    expect(read(status, undefined, { __type: `com.amazon.coral.service#${type}`, Message: message })).toEqual(failure);
  });

  it.each<[number, unknown, object]>([
    [401, { error: { message: 'no', type: 'auth' } }, { code: 'upstream_unauthorized', vendor: { type: 'auth' } }],
    [
      400,
      { error: { message: 'bad', type: 'invalid_request_error' } },
      { code: 'model_refused', message: 'bad', vendor: { type: 'invalid_request_error' } },
    ],
    [404, { message: 'none' }, { code: 'model_unknown' }],
    [413, '', { code: 'body_too_large' }],
    [429, undefined, { code: 'upstream_limited' }],
    [503, '<html>', { code: 'upstream_overloaded' }],
    [504, null, { code: 'upstream_timeout' }],
    [418, {}, { code: 'upstream_failed' }],
  ])('%i without an exception, %j', (status, body, failure) => {
    expect(read(status, undefined, body)).toEqual(failure);
  });

  it('says when to come again', () => {
    expect(read(429, 'ThrottlingException', {}, { 'retry-after': '2' })).toMatchObject({ retryAfterMs: 2_000 });
    expect(read(429, 'ThrottlingException', {}, { 'retry-after': 'soon' })).not.toHaveProperty('retryAfterMs');
  });
});

describe('bedrock, against the mock', () => {
  let mocks: Mocks;
  beforeAll(async () => void (mocks = await startMocks({ only: ['bedrock'] })));
  afterAll(() => mocks.close());

  async function send(options: ProviderOptions, path: string, body: JsonObject) {
    const provider = make({ ...options, baseUrl: mocks.bedrock.url });
    const { auth } = provider;
    const headers = {
      'content-type': 'application/json',
      ...(auth.type === 'header' ? { [auth.name]: `${auth.prefix}${auth.value.reveal()}` } : {}),
    };
    const request = { method: 'POST', origin: provider.origin, path, headers, body: JSON.stringify(body), trust: 'operator' } as const;
    const ready = auth.type === 'sigv4' ? await createSigV4Signer(auth, { now: Date.now }).sign(request, { refresh: false }) : request;
    return { provider, answer: await http().send(ready) };
  }
  const surfaceOf = (options: ProviderOptions) => {
    const [surface] = make(options).chat;
    if (surface === undefined) throw new Error('no surface');
    return surface;
  };
  const chat = (options: ProviderOptions, question: ChatRequest, stream: boolean) => {
    const surface = surfaceOf(options);
    const { body } = surface.codec.writeRequest(question, { model: question.model, family: make(options).family(question.model) });
    return send(options, surface.address(asked(question.model, stream)).path, body);
  };

  it.each([
    ['a signature', signed],
    ['a key', { region: 'r', apiKey: new Secret('good') }],
  ])('holds a conversation with a tool and reasoning, by %s', async (_what, options) => {
    const { codec } = surfaceOf(options);
    const { answer } = await chat(options, ask, false);
    expect(answer.status).toBe(200);
    const reply = codec.readReply(JSON.parse(answer.body.toString()) as JsonObject, 'anthropic');
    expect(reply).toMatchObject({ finish: 'tool_calls', parts: [{ type: 'reasoning' }, { type: 'call', name: 'get_weather' }] });
    const id = reply.parts.flatMap((part) => (part.type === 'call' ? [part.id] : []))[0] ?? '';
    const results = { role: 'user', parts: [{ type: 'result', callId: id, parts: [{ type: 'text', text: 'sunny' }] }] } as const;
    const turns = [...ask.turns, { role: 'assistant', parts: reply.parts } as const, results];
    const { answer: second } = await chat(options, { ...ask, turns }, true);
    expect(second.status).toBe(200);
    const reader = codec.streamReader('anthropic');
    const events: ChatEvent[] = createAwsEventStreamReader()
      .push(second.body)
      .flatMap((frame) => reader.read(frame));
    expect(events.map((event) => (event.type === 'text' ? event.text : '')).join('')).toBe('Tool said: sunny');
    expect(events.slice(-2)).toEqual([{ type: 'finish', finish: 'stop' }, { type: 'end' }]);
  });

  it('counts tokens', async () => {
    const { countTokens } = make(signed);
    const path = countTokens?.path(MODEL) ?? '';
    expect(path).toBe('/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens');
    const body = countTokens?.write?.(ask) ?? {};
    expect(body).toEqual({
      input: {
        converse: {
          messages: [{ role: 'user', content: [{ text: 'use get_weather' }] }],
          system: [{ text: 'be kind' }, { cachePoint: { type: 'default' } }],
          toolConfig: {
            tools: [
              { toolSpec: { name: 'get_weather', inputSchema: { json: { type: 'object', properties: { city: { type: 'string' } } } } } },
            ],
          },
        },
      },
    });
    const { answer } = await send(signed, path, body);
    expect(countTokens?.read?.(JSON.parse(answer.body.toString()) as JsonObject)).toBe(4);
    expect(() => countTokens?.read?.({})).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
  });

  it.each([
    ['429', 'upstream_limited'],
    ['503', 'upstream_overloaded'],
    ['424', 'upstream_failed'],
    ['408', 'upstream_timeout'],
  ])('knows a %s as %s', async (fault, code) => {
    const { provider, answer } = await chat(signed, { ...ask, model: `${MODEL}--fault-${fault}` }, true);
    expect(provider.readFailure(answer.status, answer.headers, JSON.parse(answer.body.toString()))).toMatchObject({ code });
  });

  it('knows a key that is not accepted', async () => {
    const { provider, answer } = await chat({ ...signed, secretAccessKey: new Secret('wrong') }, ask, false);
    expect(provider.readFailure(answer.status, answer.headers, JSON.parse(answer.body.toString()))).toEqual({
      code: 'upstream_unauthorized',
      vendor: { type: 'InvalidSignatureException' },
    });
  });
});
