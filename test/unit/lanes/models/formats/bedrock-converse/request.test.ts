import { describe, expect, it } from 'vitest';
import type { ChatRequest, Part, ToolSpec, Turn } from '../../../../../../src/core/chat.ts';
import type { WrittenRequest } from '../../../../../../src/core/contracts/provider.ts';
import { userId } from '../../../../../../src/lanes/models/formats/_user-id.ts';
import { bedrockConverse } from '../../../../../../src/lanes/models/formats/bedrock-converse/bedrock-converse.ts';

const CLAUDE = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0';
const HI: Turn = { role: 'user', parts: [{ type: 'text', text: 'hi' }] };
const TOOL: ToolSpec = { name: 'f', description: 'does f', parameters: { properties: { a: { type: 'number' } } } };

function write(ask: Partial<ChatRequest>, model = CLAUDE, family = 'anthropic'): WrittenRequest {
  return bedrockConverse.writeRequest({ model, stream: false, system: [], turns: [HI], tools: [], unread: [], ...ask }, { model, family });
}
const user = (...parts: Part[]): Turn => ({ role: 'user', parts });
const assistant = (...parts: Part[]): Turn => ({ role: 'assistant', parts });
const call = (id: string, text = '{}'): Part => ({ type: 'call', id, name: 'f', arguments: text });
const result = (callId: string, text = 'ok'): Part => ({ type: 'result', callId, parts: [{ type: 'text', text }] });
const say = (text: string): Part => ({ type: 'text', text });
const refused = (what: RegExp) => expect.objectContaining({ code: 'bad_request', message: expect.stringMatching(what) });
const messages = (...turns: Turn[]) => write({ turns }).body['messages'];

describe('messages', () => {
  it('joins turns of one role, and puts results first', () => {
    const turns: Turn[] = [
      user(say('a')),
      user(say('b')),
      assistant(say('c'), call('1')),
      assistant(call('2')),
      { role: 'system', parts: [say('be brief')] },
      user(result('1')),
      user(say('and?'), result('2')),
      assistant(say('d')),
    ];
    expect(write({ turns, tools: [TOOL] }).body['messages']).toEqual([
      { role: 'user', content: [{ text: 'a' }, { text: 'b' }] },
      {
        role: 'assistant',
        content: [
          { text: 'c' },
          { toolUse: { toolUseId: '1', name: 'f', input: {} } },
          { toolUse: { toolUseId: '2', name: 'f', input: {} } },
        ],
      },
      {
        role: 'user',
        content: [
          { toolResult: { toolUseId: '1', content: [{ text: 'ok' }] } },
          { toolResult: { toolUseId: '2', content: [{ text: 'ok' }] } },
          { text: 'be brief' },
          { text: 'and?' },
        ],
      },
      { role: 'assistant', content: [{ text: 'd' }] },
    ]);
  });

  it('begins with the user, and leaves out what is blank', () => {
    expect(messages(assistant(say('hello')), user(say('  '), say('hi')))).toEqual([
      { role: 'user', content: [{ text: 'Continue.' }] },
      { role: 'assistant', content: [{ text: 'hello' }] },
      { role: 'user', content: [{ text: 'hi' }] },
    ]);
    expect(messages(user(say('a')), assistant(say('')), user(say('b')))).toEqual([
      { role: 'user', content: [{ text: 'a' }, { text: 'b' }] },
    ]);
    expect(write({ turns: [], system: [{ type: 'text', text: 'sys' }] }).body).toEqual({
      messages: [{ role: 'user', content: [{ text: 'Continue.' }] }],
      system: [{ text: 'sys' }],
    });
  });

  it.each<[string, Turn[], RegExp]>([
    ['a result without a call', [HI, assistant(say('a')), user(result('1'))], /^turns\[2\]: the result of 1/],
    ['a call without a result', [HI, assistant(call('1'), call('2')), user(result('1'))], /^turns\[2\]: a result of the call 2/],
    ['calls at the end', [HI, assistant(call('1'))], /^turns\[1\]: its calls have no results/],
    ['a result that comes too late', [HI, assistant(call('1')), user(say('x')), assistant(say('y')), user(result('1'))], /^turns\[2\]/],
  ])('refuses %s', (_what, turns, message) => {
    expect(() => write({ turns, tools: [TOOL] })).toThrow(refused(message));
  });

  it('cleans ids that Bedrock refuses, the same way for call and result, without mixing two up', () => {
    const ids = ['call|a', 'call/a', 'x'.repeat(65), `${'x'.repeat(65)}y`, '', 'functions.f:0'];
    const written = write({ turns: [HI, assistant(...ids.map((id) => call(id))), user(...ids.map((id) => result(id)))], tools: [TOOL] });
    const [, calls, results] = written.body['messages'] as { content: Record<string, { toolUseId: string }>[] }[];
    const callIds = calls?.content.map((block) => block['toolUse']?.toolUseId);
    expect(results?.content.map((block) => block['toolResult']?.toolUseId)).toEqual(callIds);
    expect(new Set(callIds).size).toBe(ids.length);
    for (const id of callIds ?? []) expect(id).toMatch(/^[a-zA-Z0-9_.:-]{1,64}$/);
    expect(callIds?.at(-1)).toBe('functions.f:0');
  });

  it('writes arguments as an object', () => {
    const input = (text: string) => {
      const [, second] = write({ turns: [HI, assistant(call('1', text)), user(result('1'))], tools: [TOOL] }).body['messages'] as {
        content: unknown[];
      }[];
      return second?.content;
    };
    expect(input('{"a":[1]}')).toEqual([{ toolUse: { toolUseId: '1', name: 'f', input: { a: [1] } } }]);
    expect(input('')).toEqual([{ toolUse: { toolUseId: '1', name: 'f', input: {} } }]);
    for (const bad of ['{', '[]', '1', 'null']) expect(() => input(bad)).toThrow(refused(/^turns\[1\]\.parts\[0\]: the arguments/));
  });

  it('says of a result that it is an error, and may have images in it', () => {
    const image: Part = { type: 'image', source: { type: 'base64', mediaType: 'image/jpeg', data: 'AAEC' } };
    const turns = [
      HI,
      assistant(call('1')),
      user({ type: 'result', callId: '1', isError: true, parts: [{ type: 'text', text: 'no' }, image] }),
    ];
    expect(write({ turns, tools: [TOOL] }).body['messages']).toContainEqual({
      role: 'user',
      content: [
        {
          toolResult: {
            toolUseId: '1',
            content: [{ text: 'no' }, { image: { format: 'jpeg', source: { bytes: 'AAEC' } } }],
            status: 'error',
          },
        },
      ],
    });
  });
});

describe('media', () => {
  const base64 = (mediaType: string) => ({ type: 'base64', mediaType, data: 'AAEC' }) as const;

  it('writes images, documents with names of their own, and audio', () => {
    const parts: Part[] = [
      { type: 'image', source: base64('image/png') },
      { type: 'document', source: base64('application/pdf'), name: 'Q3 / report_final.pdf' },
      { type: 'document', source: base64('text/plain; charset=utf-8'), name: 'Q3 / report_final.pdf' },
      { type: 'document', source: base64('text/markdown') },
      { type: 'audio', format: 'wav', data: 'AAEC' },
    ];
    expect(messages(user(...parts))).toEqual([
      {
        role: 'user',
        content: [
          { image: { format: 'png', source: { bytes: 'AAEC' } } },
          { document: { format: 'pdf', name: 'Q3 - report-final-pdf', source: { bytes: 'AAEC' } } },
          { document: { format: 'txt', name: 'Q3 - report-final-pdf 2', source: { bytes: 'AAEC' } } },
          { document: { format: 'md', name: 'document', source: { bytes: 'AAEC' } } },
          { audio: { format: 'wav', source: { bytes: 'AAEC' } } },
        ],
      },
    ]);
  });

  it.each<[string, Part, RegExp]>([
    ['links', { type: 'image', source: { type: 'url', url: 'https://a/b.png' } }, /^turns\[0\]\.parts\[0\]: .*links/],
    ['files', { type: 'document', source: { type: 'file', id: 'file-1' } }, /^turns\[0\]\.parts\[0\]: .*files by id/],
    ['other images', { type: 'image', source: base64('image/tiff') }, /image\/tiff/],
    ['other documents', { type: 'document', source: base64('application/zip') }, /application\/zip/],
  ])('refuses %s', (_what, part, message) => {
    expect(() => messages(user(part))).toThrow(refused(message));
  });
});

describe('tools', () => {
  it('writes names, descriptions and schemas', () => {
    expect(write({ tools: [TOOL, { name: 'g', strict: true }] }).body['toolConfig']).toEqual({
      tools: [
        {
          toolSpec: { name: 'f', description: 'does f', inputSchema: { json: { type: 'object', properties: { a: { type: 'number' } } } } },
        },
        { toolSpec: { name: 'g', inputSchema: { json: { type: 'object' } }, strict: true } },
      ],
    });
  });

  it.each<[ChatRequest['toolChoice'], unknown]>([
    [undefined, undefined],
    [{ type: 'auto' }, { auto: {} }],
    [{ type: 'required' }, { any: {} }],
    [{ type: 'tool', name: 'g' }, { tool: { name: 'g' } }],
    [{ type: 'allowed', names: ['g'], required: true }, { any: {} }],
    [{ type: 'allowed', names: ['g'], required: false }, { auto: {} }],
  ])('writes the choice %j', (toolChoice, expected) => {
    const { body, dropped } = write({ tools: [TOOL, { name: 'g' }], ...(toolChoice === undefined ? {} : { toolChoice }) });
    const config = body['toolConfig'] as { toolChoice?: unknown; tools: { toolSpec: { name: string } }[] };
    expect(config.toolChoice).toEqual(expected);
    expect(config.tools.map(({ toolSpec }) => toolSpec.name)).toEqual(toolChoice?.type === 'allowed' ? ['g'] : ['f', 'g']);
    expect(dropped).toEqual([]);
  });

  it('leaves the tools out for none, but not when the conversation has calls', () => {
    expect(write({ tools: [TOOL], toolChoice: { type: 'none' } })).toEqual({
      body: { messages: [{ role: 'user', content: [{ text: 'hi' }] }] },
      dropped: [],
    });
    const { body, dropped } = write({ turns: [HI, assistant(call('1')), user(result('1'))], tools: [TOOL], toolChoice: { type: 'none' } });
    expect(body['toolConfig']).toEqual({ tools: [expect.objectContaining({ toolSpec: expect.objectContaining({ name: 'f' }) })] });
    expect(dropped).toEqual([expect.stringMatching(/^toolChoice /)]);
  });

  it('describes the tools of earlier calls when the caller offers none any more', () => {
    const { body } = write({ turns: [HI, assistant(call('1')), user(result('1'))] });
    expect(body['toolConfig']).toEqual({ tools: [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object' } } } }] });
  });

  it('refuses names that Bedrock refuses, and says so of parallel calls', () => {
    expect(() => write({ tools: [{ name: 'a.b' }] })).toThrow(refused(/^tools\[0\]: .*"a\.b"/));
    expect(write({ tools: [TOOL], parallelTools: false }).dropped).toEqual(['parallelTools']);
  });
});

describe('cache marks', () => {
  it('become elements after what they mark', () => {
    const written = write({
      system: [{ type: 'text', text: 'sys', cache: { ttl: '5m' } }],
      tools: [{ ...TOOL, cache: { ttl: '1h' } }],
      turns: [
        user({ type: 'text', text: 'a', cache: { ttl: '30m' } }, say('b')),
        assistant({ ...(call('1') as Extract<Part, { type: 'call' }>), cache: {} }),
        user(
          { type: 'result', callId: '1', parts: [{ type: 'text', text: 'ok', cache: {} }] },
          { type: 'text', text: 'c', cache: { ttl: '12h' } },
        ),
      ],
    });
    const point = { cachePoint: { type: 'default' } };
    const hour = { cachePoint: { type: 'default', ttl: '1h' } };
    expect(written.body['system']).toEqual([{ text: 'sys' }, point]);
    expect((written.body['toolConfig'] as { tools: unknown[] }).tools.at(1)).toEqual(hour);
    expect(written.body['messages']).toEqual([
      { role: 'user', content: [{ text: 'a' }, hour, { text: 'b' }] },
      { role: 'assistant', content: [{ toolUse: { toolUseId: '1', name: 'f', input: {} } }, point] },
      { role: 'user', content: [{ toolResult: { toolUseId: '1', content: [{ text: 'ok' }] } }, point, { text: 'c' }, hour] },
    ]);
    expect(written.dropped).toEqual(['cache.ttl (1h at most)']);
  });

  it('are left out where nothing stands before them', () => {
    expect(messages(user({ type: 'text', text: ' ', cache: {} }, say('a')))).toEqual([{ role: 'user', content: [{ text: 'a' }] }]);
  });
});

describe('reasoning of earlier turns', () => {
  it('goes back to its own family only', () => {
    const parts: Part[] = [
      { type: 'reasoning', text: 'hm', seal: { family: 'anthropic', value: 'sig' } },
      { type: 'reasoning', text: '', hidden: true, seal: { family: 'anthropic', value: 'AAEC' } },
      { type: 'reasoning', text: 'foreign', seal: { family: 'gemini', value: 'g' } },
      { type: 'reasoning', text: 'foreign too', seal: { family: 'gemini', value: 'g' } },
      { type: 'reasoning', text: 'open' },
      say('so'),
    ];
    const { body, dropped } = write({ turns: [HI, assistant(...parts)] });
    expect((body['messages'] as unknown[])[1]).toEqual({
      role: 'assistant',
      content: [
        { reasoningContent: { reasoningText: { text: 'hm', signature: 'sig' } } },
        { reasoningContent: { redactedContent: 'AAEC' } },
        { text: 'so' },
      ],
    });
    expect(dropped).toEqual(['reasoning of another model family', 'reasoning without a signature']);
  });
});

describe('settings', () => {
  it('writes what Bedrock has, and names what it has not', () => {
    const { body, dropped } = write({
      maxTokens: 100,
      temperature: 1.5,
      topP: 0.9,
      topK: 5,
      stop: ['END', ' '],
      seed: 1,
      frequencyPenalty: 1,
      presencePenalty: 1,
      user: 'user-1@example.com',
      serviceTier: 'fast',
    });
    expect(body).toEqual({
      messages: [{ role: 'user', content: [{ text: 'hi' }] }],
      inferenceConfig: { maxTokens: 100, temperature: 1, topP: 0.9, stopSequences: ['END'] },
      additionalModelRequestFields: { top_k: 5 },
      requestMetadata: { user: userId('user-1@example.com') },
      serviceTier: { type: 'priority' },
    });
    expect(dropped).toEqual(['temperature (1 at most)', 'seed', 'frequencyPenalty', 'presencePenalty']);
  });

  it('drops what a model or Bedrock refuses', () => {
    expect(write({ temperature: 0.5, topP: 0.5, topK: 5 }, 'anthropic.claude-opus-5-v1:0')).toEqual({
      body: { messages: [{ role: 'user', content: [{ text: 'hi' }] }] },
      dropped: [expect.stringMatching(/^temperature /), expect.stringMatching(/^topP /), expect.stringMatching(/^topK /)],
    });
    const { dropped } = write({ topK: 5, serviceTier: 'scale' }, 'meta.llama4', 'meta');
    expect(dropped).toEqual([expect.stringMatching(/^topK /), 'serviceTier']);
    expect(write({ serviceTier: 'auto' }).dropped).toEqual([]);
  });

  it('writes a schema of the answer as text', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } } };
    expect(write({ output: { type: 'schema', name: 'n', description: 'd', schema, strict: true } }).body['outputConfig']).toEqual({
      textFormat: { type: 'json_schema', structure: { jsonSchema: { schema: JSON.stringify(schema), name: 'n', description: 'd' } } },
    });
    expect(write({ output: { type: 'json' } }).dropped).toEqual(['output (JSON needs a schema here)']);
    expect(write({ output: { type: 'text' } }).dropped).toEqual([]);
  });
});

describe('how much to think', () => {
  const reasoning = (ask: ChatRequest['reasoning'], model: string, family = 'anthropic', more: Partial<ChatRequest> = {}) => {
    const { body, dropped } = write({ ...(ask === undefined ? {} : { reasoning: ask }), ...more }, model, family);
    return {
      fields: body['additionalModelRequestFields'],
      effort: (body['outputConfig'] as { effort?: string } | undefined)?.effort,
      dropped,
    };
  };
  const enabled = (budget_tokens: number) => ({ thinking: { type: 'enabled', budget_tokens } });

  it.each<[string, ChatRequest['reasoning'], unknown, string?]>([
    ['anthropic.claude-3-7-sonnet-20250219-v1:0', { effort: 'high' }, enabled(16_384)],
    ['anthropic.claude-opus-4-20250514-v1:0', { budgetTokens: 5_000 }, enabled(5_000)],
    [CLAUDE, { effort: 'low' }, enabled(2_048)],
    [CLAUDE, { budgetTokens: 10 }, enabled(1_024)],
    [CLAUDE, { effort: 'none' }, undefined],
    [CLAUDE, {}, undefined],
    ['us.anthropic.claude-opus-4-6-v1', { budgetTokens: 2_000 }, enabled(2_000)],
    ['us.anthropic.claude-opus-4-6-v1', { effort: 'max' }, { thinking: { type: 'adaptive' } }, 'max'],
    ['anthropic.claude-opus-5-v1:0', { effort: 'minimal' }, { thinking: { type: 'adaptive' } }, 'low'],
    ['anthropic.claude-opus-5-v1:0', { effort: 'high', summary: true }, { thinking: { type: 'adaptive', display: 'summarized' } }, 'high'],
    ['anthropic.claude-opus-5-v1:0', { effort: 'none' }, { thinking: { type: 'disabled' } }],
  ])('%s, %j', (model, ask, fields, effort) => {
    expect(reasoning(ask, model)).toEqual({ fields, effort, dropped: [] });
  });

  it.each([
    ['amazon.nova-2-lite-v1:0', 'amazon', { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } }],
    ['openai.gpt-oss-120b-1:0', 'openai-open', { reasoning_effort: 'high' }],
  ])('%s takes an effort of its own', (model, family, fields) => {
    expect(reasoning({ effort: 'xhigh' }, model, family)).toEqual({ fields, dropped: [] });
    expect(reasoning({ effort: 'none' }, model, family)).toEqual({ dropped: [] });
  });

  it('is named as dropped where there is no way', () => {
    const dropped = (...args: Parameters<typeof reasoning>) => reasoning(...args).dropped;
    expect(dropped({ effort: 'low' }, 'meta.llama4', 'meta')).toEqual(['reasoning (not for this model over Converse)']);
    expect(dropped({ effort: 'low' }, 'amazon.nova-lite-v1:0', 'amazon')).toEqual(['reasoning (not for this model over Converse)']);
    expect(dropped({ effort: 'low' }, CLAUDE, 'anthropic', { maxTokens: 1_024 })).toEqual(['reasoning (maxTokens leaves no room for it)']);
    expect(dropped({ effort: 'low' }, CLAUDE, 'anthropic', { tools: [TOOL], toolChoice: { type: 'required' } })).toEqual([
      'reasoning (not while a tool must be called)',
    ]);
    expect(dropped({ budgetTokens: 2_000 }, 'anthropic.claude-opus-5-v1:0')).toEqual([
      'reasoning.budgetTokens (this model takes an effort)',
    ]);
    const turns = [HI, assistant(call('1')), user(result('1'))];
    expect(dropped({ effort: 'low' }, CLAUDE, 'anthropic', { turns })).toEqual([
      'reasoning (the calls of the last turn came without theirs)',
    ]);
  });

  it('leaves room for the answer, and no temperature while thinking', () => {
    expect(reasoning({ effort: 'high' }, CLAUDE, 'anthropic', { maxTokens: 2_000 }).fields).toEqual(enabled(1_999));
    const { body, dropped } = write({ reasoning: { effort: 'low' }, temperature: 0.2, topK: 3, topP: 0.96 });
    expect(body['inferenceConfig']).toEqual({ topP: 0.96 });
    expect(dropped).toEqual([expect.stringMatching(/^temperature /), expect.stringMatching(/^topK /)]);
  });
});
