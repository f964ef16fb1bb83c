import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../../../../src/core/chat.ts';
import type { Host } from '../../../../../src/core/contracts/extension.ts';
import type { Provider, ProviderOptions } from '../../../../../src/core/contracts/provider.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import vertex from '../../../../../src/lanes/models/providers/vertex.ts';

const token = new Secret('ya29');
const open = async (options: ProviderOptions): Promise<Provider> =>
  vertex.create({ project: 'p1', ...('serviceAccount' in options ? {} : { apiKey: token }), ...options }, {} as Host);
const asked = (model: string, stream = false) => ({ model, stream, headers: {} });

describe('Vertex AI', () => {
  it.each([
    [undefined, 'https://aiplatform.googleapis.com', 'global'],
    ['global', 'https://aiplatform.googleapis.com', 'global'],
    ['europe-west4', 'https://europe-west4-aiplatform.googleapis.com', 'europe-west4'],
    ['eu', 'https://aiplatform.eu.rep.googleapis.com', 'eu'],
  ])('in the region %s is at %s', async (region, origin, location) => {
    const provider = await open(region === undefined ? {} : { region });
    const models = `/v1/projects/p1/locations/${location}/publishers/google/models`;
    expect(provider.origin).toBe(origin);
    const [surface] = provider.chat;
    expect(surface?.codec.format).toBe('gemini');
    expect(surface?.address(asked('gemini-3.5-flash')).path).toBe(`${models}/gemini-3.5-flash:generateContent`);
    expect(surface?.address(asked('gemini-3.5-flash', true)).path).toBe(`${models}/gemini-3.5-flash:streamGenerateContent?alt=sse`);
    expect(provider.countTokens?.path('gemini-3.5-flash')).toBe(`${models}/gemini-3.5-flash:countTokens`);
    expect(provider.family('gemini-3.5-flash')).toBe('gemini');
  });

  it('may be elsewhere, with a path before its own', async () => {
    const provider = await open({ baseUrl: 'http://127.0.0.1:9/gw/' });
    expect(provider.origin).toBe('http://127.0.0.1:9');
    expect(provider.chat[0]?.address(asked('m')).path).toBe(
      '/gw/v1/projects/p1/locations/global/publishers/google/models/m:generateContent',
    );
  });

  it('takes a service account or a token', async () => {
    const serviceAccount = new Secret('{}');
    expect((await open({ serviceAccount })).auth).toEqual({ type: 'google', serviceAccount });
    expect((await open({ apiKey: token })).auth).toEqual({ type: 'header', name: 'authorization', prefix: 'Bearer ', value: token });
  });

  it.each<ProviderOptions>([{}, { serviceAccount: new Secret('{}'), apiKey: token }])('wants one of them: not %j', (options) => {
    expect(() => vertex.create({ project: 'p1', ...options }, {} as Host)).toThrow(
      expect.objectContaining({ code: 'bad_request', message: expect.stringMatching(/^serviceAccount is needed, or an access token/) }),
    );
  });

  it('counts tokens with system and tools, and without how to choose them', async () => {
    const ask: ChatRequest = {
      model: 'gemini-3.5-flash',
      stream: false,
      system: [{ type: 'text', text: 's' }],
      turns: [{ role: 'user', parts: [{ type: 'text', text: 'q' }] }],
      tools: [{ name: 'f' }],
      toolChoice: { type: 'required' },
      unread: [],
    };
    const { countTokens } = await open({});
    expect(countTokens?.write?.(ask)).toEqual({
      systemInstruction: { parts: [{ text: 's' }] },
      contents: [{ role: 'user', parts: [{ text: 'q' }] }],
      tools: [{ functionDeclarations: [{ name: 'f' }] }],
    });
    expect(countTokens?.read?.({ totalTokens: 7 })).toBe(7);
  });

  it('has Claude: the model in the path, the version in the body, betas in their header', async () => {
    const provider = await open({ api: 'anthropic', region: 'us-east5' });
    const models = '/v1/projects/p1/locations/us-east5/publishers/anthropic/models';
    const [surface] = provider.chat;
    expect(surface?.codec.format).toBe('anthropic-messages');
    expect(surface?.address(asked('claude-sonnet-4-5@20250929'))).toEqual({ path: `${models}/claude-sonnet-4-5@20250929:rawPredict` });
    expect(surface?.address({ ...asked('claude-opus-5', true), headers: { 'anthropic-beta': 'a,b', cookie: 'c' } })).toEqual({
      path: `${models}/claude-opus-5:streamRawPredict`,
      headers: { 'anthropic-beta': 'a,b' },
    });
    const body = { model: 'claude-opus-5', max_tokens: 5, stream: true, messages: [] };
    expect(surface?.adapt?.(body, asked('claude-opus-5', true))).toEqual({
      anthropic_version: 'vertex-2023-10-16',
      max_tokens: 5,
      stream: true,
      messages: [],
    });
    expect(body).toHaveProperty('model');
    expect(provider.countTokens?.path('claude-opus-5')).toBe(`${models}/count-tokens:rawPredict`);
    expect(provider.family('claude-opus-5')).toBe('anthropic');
    const tooLong = { type: 'error', error: { type: 'invalid_request_error', message: 'prompt is too long: 1 > 0' } };
    expect(provider.readFailure(400, {}, tooLong)).toEqual({
      code: 'context_too_long',
      message: 'prompt is too long: 1 > 0',
      vendor: { type: 'invalid_request_error' },
    });
  });

  it("has an endpoint that speaks OpenAI's format", async () => {
    const provider = await open({ api: 'openai' });
    const [surface] = provider.chat;
    expect(surface?.codec.format).toBe('openai-chat');
    expect(surface?.address(asked('google/gemini-3.5-flash')).path).toBe(
      '/v1/projects/p1/locations/global/endpoints/openapi/chat/completions',
    );
    expect([provider.family('google/gemini-3.5-flash'), provider.family('meta/llama-4')]).toEqual(['gemini', 'meta']);
  });
});
