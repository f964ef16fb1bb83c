import { describe, expect, it } from 'vitest';
import { checkOptions } from '../../../../../src/config/extensions.ts';
import type { Host } from '../../../../../src/core/contracts/extension.ts';
import type { Provider, ProviderExtension, ProviderOptions } from '../../../../../src/core/contracts/provider.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import cohere from '../../../../../src/lanes/models/providers/cohere.ts';
import dashscope from '../../../../../src/lanes/models/providers/dashscope.ts';
import deepseek from '../../../../../src/lanes/models/providers/deepseek.ts';
import demo from '../../../../../src/lanes/models/providers/demo.ts';
import groq from '../../../../../src/lanes/models/providers/groq.ts';
import minimax from '../../../../../src/lanes/models/providers/minimax.ts';
import mistral from '../../../../../src/lanes/models/providers/mistral.ts';
import ollama from '../../../../../src/lanes/models/providers/ollama.ts';
import openaiCompatible from '../../../../../src/lanes/models/providers/openai-compatible.ts';
import openai from '../../../../../src/lanes/models/providers/openai.ts';
import openrouter from '../../../../../src/lanes/models/providers/openrouter.ts';
import sglang from '../../../../../src/lanes/models/providers/sglang.ts';
import together from '../../../../../src/lanes/models/providers/together.ts';
import vllm from '../../../../../src/lanes/models/providers/vllm.ts';
import xai from '../../../../../src/lanes/models/providers/xai.ts';

const KEY = new Secret('sk-test');
const ASKED = { model: 'm', stream: false, headers: {} };

async function make(provider: ProviderExtension, options: ProviderOptions): Promise<Provider> {
  expect(checkOptions(provider, options)).toEqual([]);
  return provider.create(options, {} as Host);
}
const chatAddress = (provider: Provider) => provider.origin + (provider.chat[0]?.address(ASKED).path ?? '');
const adapted = async (provider: ProviderExtension, body: Record<string, unknown>) =>
  (await make(provider, { apiKey: KEY })).chat[0]?.adapt?.(body, ASKED);

describe.each([
  { provider: openai, address: 'https://api.openai.com/v1', needsKey: true, models: true, embeddings: true },
  {
    provider: dashscope,
    address: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
    needsKey: true,
    models: false,
    embeddings: true,
  },
  { provider: minimax, address: 'https://api.minimax.io/v1', needsKey: true, models: false, embeddings: false },
  { provider: deepseek, address: 'https://api.deepseek.com/v1', needsKey: true, models: true, embeddings: false },
  { provider: mistral, address: 'https://api.mistral.ai/v1', needsKey: true, models: true, embeddings: true },
  { provider: groq, address: 'https://api.groq.com/openai/v1', needsKey: true, models: true, embeddings: false },
  { provider: together, address: 'https://api.together.ai/v1', needsKey: true, models: true, embeddings: true },
  { provider: cohere, address: 'https://api.cohere.ai/compatibility/v1', needsKey: true, models: false, embeddings: true },
  { provider: openrouter, address: 'https://openrouter.ai/api/v1', needsKey: true, models: true, embeddings: true },
  { provider: xai, address: 'https://api.x.ai/v1', needsKey: true, models: true, embeddings: false },
  { provider: ollama, address: 'http://127.0.0.1:11434/v1', needsKey: false, models: true, embeddings: true },
  { provider: vllm, address: 'http://127.0.0.1:8000/v1', needsKey: false, models: true, embeddings: true },
  { provider: sglang, address: 'http://127.0.0.1:30000/v1', needsKey: false, models: true, embeddings: true },
  { provider: demo, address: 'demo:model/v1', needsKey: false, models: true, embeddings: true },
])('$provider.name', ({ provider, address, needsKey, models, embeddings }) => {
  it('is where the vendor is', async () => {
    const made = await make(provider, needsKey ? { apiKey: KEY } : {});
    expect(chatAddress(made)).toBe(`${address}/chat/completions`);
    expect(made.embeddings && made.origin + made.embeddings.address(ASKED).path).toBe(embeddings ? `${address}/embeddings` : undefined);
    expect(made.models && made.origin + made.models.path).toBe(models ? `${address}/models` : undefined);
  });

  it('is where the configuration says', async () => {
    const at = (baseUrl: string) => make(provider, { apiKey: KEY, baseUrl }).then(chatAddress);
    const path = address.replace(/^(?:https?:\/\/[^/]+|demo:model)/, '');
    expect(await at('http://127.0.0.1:9/')).toBe(`http://127.0.0.1:9${path}/chat/completions`);
    expect(await at('https://proxy.test/a/b/')).toBe('https://proxy.test/a/b/chat/completions');
    expect(await at('demo:model')).toBe(`demo:model${path}/chat/completions`);
  });

  it('sends the key as a bearer', async () => {
    expect((await make(provider, { apiKey: KEY })).auth).toEqual({ type: 'header', name: 'authorization', prefix: 'Bearer ', value: KEY });
  });

  it('wants a key where the vendor does', async () => {
    const faults = checkOptions(provider, {});
    if (needsKey) expect(faults).toMatchObject([{ message: expect.stringContaining('apiKey') }]);
    else expect((await make(provider, {})).auth).toEqual({ type: 'none' });
  });

  it('refuses options that it does not know', () => {
    expect(checkOptions(provider, { apiKey: KEY, region: 'eu' })).not.toEqual([]);
  });

  it('writes requests that JSON can hold, for the model it was asked for', async () => {
    const made = await make(provider, { apiKey: KEY });
    const ask = {
      model: 'x',
      stream: true,
      system: [],
      turns: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
      tools: [],
      unread: [],
    } as const;
    const body = made.chat[0]?.codec.writeRequest(ask, { model: 'm', family: made.family('m') }).body;
    expect(JSON.parse(JSON.stringify(body))).toMatchObject({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] });
  });
});

describe('the base URL', () => {
  it('is needed by openai-compatible, which adds /v1 to one without a path', async () => {
    expect(checkOptions(openaiCompatible, {})).toMatchObject([{ message: expect.stringContaining('baseUrl') }]);
    expect(chatAddress(await make(openaiCompatible, { baseUrl: 'http://h:1' }))).toBe('http://h:1/v1/chat/completions');
    expect(chatAddress(await make(openaiCompatible, { baseUrl: 'http://h:1/x' }))).toBe('http://h:1/x/chat/completions');
  });

  it.each(['ftp://h', 'not a url', 'https://h/v1?key=1', 'https://user:pw@h/v1', 'demo:Model?x'])('refuses %s', (baseUrl) => {
    expect(() => openaiCompatible.create({ baseUrl }, {} as Host)).toThrow(expect.objectContaining({ code: 'bad_request' }));
  });
});

describe('what vendors want otherwise', () => {
  it('openai has the Responses surface as well', async () => {
    const { chat } = await make(openai, { apiKey: KEY });
    expect(chat.map(({ codec, address }) => [codec.format, address(ASKED).path])).toEqual([
      ['openai-chat', '/v1/chat/completions'],
      ['openai-responses', '/v1/responses'],
    ]);
  });

  it('the limit keeps its effect where only the older name is known', async () => {
    expect(await adapted(ollama, { model: 'm', max_completion_tokens: 5 })).toEqual({ model: 'm', max_tokens: 5 });
    const body = { model: 'm', max_tokens: 5 };
    expect(await adapted(ollama, body)).toBe(body);
  });

  it('mistral: own names, no stream_options, ids of nine characters', async () => {
    const body = {
      model: 'm',
      seed: 3,
      stream_options: { include_usage: true },
      messages: [
        { role: 'assistant', tool_calls: [{ id: 'call_long_id', function: { name: 'f' } }, { id: 'abcDEF123' }] },
        { role: 'tool', tool_call_id: 'call_long_id', content: 'x' },
      ],
    };
    const written = (await adapted(mistral, body)) as { messages: [{ tool_calls: { id: string }[] }, { tool_call_id: string }] };
    const [asked, answered] = written.messages;
    expect(Object.keys(written).sort()).toEqual(['messages', 'model', 'random_seed']);
    expect(asked.tool_calls.map(({ id }) => id)).toEqual([expect.stringMatching(/^[a-z0-9]{9}$/), 'abcDEF123']);
    expect(answered.tool_call_id).toBe(asked.tool_calls[0]?.id);
    const fine = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
    expect(await adapted(mistral, fine)).toBe(fine);
  });

  it('deepseek switches thinking off in its own way', async () => {
    expect(await adapted(deepseek, { reasoning_effort: 'none' })).toEqual({ thinking: { type: 'disabled' } });
    expect(await adapted(deepseek, { reasoning_effort: 'high' })).toEqual({ reasoning_effort: 'high' });
  });

  it('cohere knows two efforts', async () => {
    expect(await adapted(cohere, { reasoning_effort: 'low' })).toEqual({ reasoning_effort: 'high' });
    expect(await adapted(cohere, { reasoning_effort: 'none' })).toEqual({ reasoning_effort: 'none' });
  });

  it('ollama says what it ignores, and takes no links', async () => {
    const [surface] = (await make(ollama, {})).chat;
    expect(surface).toMatchObject({ refuses: ['tool_choice', 'logprobs', 'n', 'user'], inlinesMedia: true });
  });

  it('the family of a model follows its maker where one vendor serves many', async () => {
    const { family } = await make(openrouter, { apiKey: KEY });
    expect(
      ['anthropic/claude-opus-5', 'google/gemini-3-pro', 'openai/o3', 'x-ai/grok-4', 'qwen/qwen3'].map((model) => family(model)),
    ).toEqual(['anthropic', 'gemini', 'openai', 'xai', 'openrouter']);
    expect((await make(openai, { apiKey: KEY })).family('gpt-5')).toBe('openai');
  });

  it('names of models, in a list of either shape', async () => {
    const read = (await make(together, { apiKey: KEY })).models?.read;
    expect(read?.({ data: [{ id: 'a' }, { id: 7 }, { id: 'b' }] })).toEqual(['a', 'b']);
    expect(read?.([{ id: 'a' }] as never)).toEqual(['a']);
    expect(read?.({})).toEqual([]);
  });
});
